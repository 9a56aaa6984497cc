DROP TRIGGER "sessions_stepped" ON "sessions";
DROP FUNCTION "note_session_step";
ALTER TABLE "sessions" DROP COLUMN "previous_since";
ALTER TABLE "sessions" DROP COLUMN "current_since";
