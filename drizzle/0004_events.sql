DROP INDEX "outbox_due";--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "position" bigint NOT NULL GENERATED ALWAYS AS IDENTITY (sequence name "outbox_position_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1);--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "sink" text;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "details" jsonb;--> statement-breakpoint
CREATE INDEX "outbox_events_due" ON "outbox" USING btree ("sink","next_attempt_at") WHERE "outbox"."kind" = 'event' and not "outbox"."dead";--> statement-breakpoint
CREATE INDEX "outbox_events_order" ON "outbox" USING btree ("sink","subject","position") WHERE "outbox"."kind" = 'event' and not "outbox"."dead";--> statement-breakpoint
CREATE INDEX "outbox_events_by_sink" ON "outbox" USING btree ("sink","id") WHERE "outbox"."kind" = 'event';--> statement-breakpoint
CREATE INDEX "outbox_dead" ON "outbox" USING btree ("id") WHERE "outbox"."dead";--> statement-breakpoint
CREATE INDEX "outbox_due" ON "outbox" USING btree ("next_attempt_at") WHERE "outbox"."kind" <> 'event' and "outbox"."delivered_at" is null and not "outbox"."dead";--> statement-breakpoint
-- Written before anybody could take events: they are for no sink.
DELETE FROM "outbox" WHERE "kind" = 'event';--> statement-breakpoint
UPDATE "roles" SET "permissions" = "permissions" || '{events:read,events:replay}' WHERE "name" = 'admin';
