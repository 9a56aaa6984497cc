DROP TRIGGER "sessions_stepped" ON "sessions";
DROP FUNCTION "note_session_step";
DROP INDEX "sessions_open_by_user";
ALTER TABLE "sessions" DROP COLUMN "previous_since";
ALTER TABLE "sessions" DROP COLUMN "current_since";
DROP TABLE "session_endings";
CREATE INDEX "sessions_open_by_user" ON "sessions" USING btree ("user_id","id") WHERE "sessions"."ended_at" is null;
-- Of users who are gone, where not all was taken away yet.
DELETE FROM "sessions" AS s WHERE NOT EXISTS (SELECT FROM "users" AS u WHERE u."id" = s."user_id");
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE cascade ON UPDATE no action;
