{{- define "edge-auth.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "edge-auth.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "edge-auth.labels" -}}
{{ include "edge-auth.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "edge-auth.secret" -}}
{{ .Values.secret.existing | default (include "edge-auth.name" .) }}
{{- end }}

{{- define "edge-auth.migrationMode" -}}
{{- if not (has .Values.migrations.mode (list "job" "init")) }}{{ fail (printf "migrations.mode is job or init, not %v" .Values.migrations.mode) }}{{ end }}
{{- .Values.migrations.mode }}
{{- end }}

{{- /* What scrapes /metrics needs the token for it. A value without its key would reach no pod. */ -}}
{{- define "edge-auth.secretKeys" -}}
{{- $keys := .Values.secret.keys }}
{{- if .Values.serviceMonitor.enabled }}{{ $keys = append $keys .Values.serviceMonitor.tokenKey | uniq }}{{ end }}
{{- range $key, $value := .Values.secret.values }}
{{- if not (or (has $key $keys) (eq $key $.Values.migrations.secretKey)) }}{{ fail (printf "secret.values.%s is not among secret.keys" $key) }}{{ end }}
{{- end }}
{{- toJson $keys }}
{{- end }}

{{- /* What the Secret holds that is made here: the owner's address of the database too, which the service never gets. */ -}}
{{- define "edge-auth.madeKeys" -}}
{{- append (include "edge-auth.secretKeys" . | fromJsonArray) .Values.migrations.secretKey | uniq | toJson }}
{{- end }}

{{- define "edge-auth.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "edge-auth.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "edge-auth.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- /* The secrets of the service as files. */ -}}
{{- define "edge-auth.serviceSecrets" -}}
- name: secrets
  secret:
    secretName: {{ include "edge-auth.secret" . }}
    defaultMode: 0440
    items:
      {{- range $key := include "edge-auth.secretKeys" . | fromJsonArray }}
      - { key: {{ $key }}, path: {{ $key }} }
      {{- end }}
{{- end }}

{{- /* The owner's address of the database as a file, for the migrations and the backup. */ -}}
{{- define "edge-auth.ownerSecret" -}}
- name: owner
  secret:
    secretName: {{ include "edge-auth.secret" . }}
    defaultMode: 0440
    items:
      - { key: {{ .Values.migrations.secretKey }}, path: {{ .Values.migrations.secretKey }} }
{{- end }}

{{- define "edge-auth.migrate" -}}
name: migrate
image: {{ include "edge-auth.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [node, src/cli/migrate.ts, up{{ with .Values.migrations.grantTo }}, --grant, {{ . }}{{ end }}]
env:
  - { name: DATABASE_URL_FILE, value: /run/secrets/edge-auth/{{ .Values.migrations.secretKey }} }
  {{- range $name, $value := pick .Values.env "ENVIRONMENT" "ALLOW_PLAINTEXT" }}
  - { name: {{ $name }}, value: {{ $value | quote }} }
  {{- end }}
volumeMounts:
  - { name: owner, mountPath: /run/secrets/edge-auth, readOnly: true }
securityContext:
  {{- include "edge-auth.containerSecurity" . | nindent 2 }}
resources:
  requests: { cpu: 100m, memory: 128Mi }
  limits: { memory: 256Mi }
{{- end }}
