CREATE TABLE "roles" (
	"name" text PRIMARY KEY NOT NULL,
	"permissions" text[] NOT NULL
);
--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "actor_id" uuid;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "roles_changed_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "audit_log_by_actor" ON "audit_log" USING btree ("actor_id","id") WHERE "audit_log"."actor_id" is not null;--> statement-breakpoint
CREATE INDEX "audit_log_by_type" ON "audit_log" USING btree ("type","id");--> statement-breakpoint
CREATE INDEX "audit_log_failures" ON "audit_log" USING btree ("id") WHERE "audit_log"."result" = 'failure';--> statement-breakpoint
CREATE INDEX "users_by_status" ON "users" USING btree ("status","id");--> statement-breakpoint
CREATE INDEX "users_roles" ON "users" USING gin ("roles") WITH (fastupdate=false);--> statement-breakpoint
CREATE INDEX "users_username_prefix" ON "users" USING btree ("username_key" collate "C");--> statement-breakpoint
CREATE INDEX "users_roles_changed_at" ON "users" USING btree ("roles_changed_at") WHERE "users"."roles_changed_at" is not null;--> statement-breakpoint
INSERT INTO "roles" ("name", "permissions") VALUES
	('user', '{}'),
	('admin', '{users:read,users:write,users:delete,sessions:revoke,roles:write,audit:read}');
