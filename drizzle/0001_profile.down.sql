DROP INDEX "sessions_by_user";
DROP INDEX "sessions_open_by_user";
ALTER TABLE "users" DROP COLUMN "version";
ALTER TABLE "users" DROP COLUMN "locale";
CREATE INDEX "sessions_by_user" ON "sessions" USING btree ("user_id");
CREATE INDEX "sessions_open_by_user" ON "sessions" USING btree ("user_id") WHERE "sessions"."ended_at" is null;
