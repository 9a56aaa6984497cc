CREATE TABLE "session_endings" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"epoch" integer NOT NULL,
	"reason" text NOT NULL,
	"ended_at" timestamp (3) with time zone NOT NULL,
	"kept_id" uuid
);
--> statement-breakpoint
ALTER TABLE "sessions" DROP CONSTRAINT "sessions_user_id_users_id_fk";
--> statement-breakpoint
DROP INDEX "sessions_open_by_user";--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "current_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "previous_since" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "session_endings_by_time" ON "session_endings" USING btree ("ended_at");--> statement-breakpoint
CREATE INDEX "sessions_open_by_user" ON "sessions" USING btree ("user_id","epoch","id") WHERE "sessions"."ended_at" is null;--> statement-breakpoint
-- By the clock of the database, whichever statement steps: that of an older release too.
CREATE FUNCTION "note_session_step"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW."previous_since" := CASE
		WHEN NEW."generation" = OLD."generation" + 1 THEN coalesce(OLD."current_since", OLD."rotated_at")
		ELSE clock_timestamp()
	END;
	NEW."current_since" := clock_timestamp();
	RETURN NEW;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "sessions_stepped" BEFORE UPDATE OF "generation" ON "sessions" FOR EACH ROW
	WHEN (NEW."generation" <> OLD."generation")
	EXECUTE FUNCTION "note_session_step"();
