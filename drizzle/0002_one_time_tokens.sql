CREATE TABLE "leases" (
	"name" text PRIMARY KEY NOT NULL,
	"until" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
DELETE FROM "one_time_tokens";--> statement-breakpoint
DROP INDEX "one_time_tokens_by_user";--> statement-breakpoint
ALTER TABLE "one_time_tokens" ALTER COLUMN "user_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "one_time_tokens" ADD COLUMN "email_index" text NOT NULL;--> statement-breakpoint
ALTER TABLE "one_time_tokens" ADD COLUMN "code_expires_at" timestamp (3) with time zone;--> statement-breakpoint
CREATE INDEX "one_time_tokens_by_email" ON "one_time_tokens" USING btree ("email_index","purpose");--> statement-breakpoint
CREATE INDEX "one_time_tokens_by_user" ON "one_time_tokens" USING btree ("user_id");--> statement-breakpoint
ALTER TABLE "one_time_tokens" DROP COLUMN "consumed_at";
--> statement-breakpoint
CREATE TABLE "code_attempts" (
	"key" text PRIMARY KEY NOT NULL,
	"attempts" integer NOT NULL,
	"forgotten_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "code_attempts_forgotten_at" ON "code_attempts" USING btree ("forgotten_at");--> statement-breakpoint
ALTER TABLE "one_time_tokens" DROP COLUMN "attempts";
