DROP TABLE "audit_log";
DROP TABLE "outbox";
DROP TABLE "one_time_tokens";
DROP TABLE "signing_keys";
DROP TABLE "sessions";
DROP TABLE "users";
