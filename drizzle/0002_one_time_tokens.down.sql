DELETE FROM "one_time_tokens";
DROP INDEX "one_time_tokens_by_user";
DROP INDEX "one_time_tokens_by_email";
ALTER TABLE "one_time_tokens" ADD COLUMN "consumed_at" timestamp (3) with time zone;
ALTER TABLE "one_time_tokens" DROP COLUMN "code_expires_at";
ALTER TABLE "one_time_tokens" DROP COLUMN "email_index";
ALTER TABLE "one_time_tokens" ALTER COLUMN "user_id" SET NOT NULL;
CREATE INDEX "one_time_tokens_by_user" ON "one_time_tokens" USING btree ("user_id","purpose");
DROP TABLE "leases";
