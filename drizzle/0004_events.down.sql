UPDATE "roles" SET "permissions" = array_remove(array_remove("permissions", 'events:read'), 'events:replay') WHERE "name" = 'admin';
-- Without their sinks they are for nobody.
DELETE FROM "outbox" WHERE "kind" = 'event';
DROP INDEX "outbox_due";
DROP INDEX "outbox_dead";
DROP INDEX "outbox_events_by_sink";
DROP INDEX "outbox_events_order";
DROP INDEX "outbox_events_due";
ALTER TABLE "outbox" DROP COLUMN "details";
ALTER TABLE "outbox" DROP COLUMN "sink";
ALTER TABLE "outbox" DROP COLUMN "position";
CREATE INDEX "outbox_due" ON "outbox" USING btree ("next_attempt_at") WHERE "outbox"."delivered_at" is null and not "outbox"."dead";
