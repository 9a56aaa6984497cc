DROP TRIGGER "users_roles_changed" ON "users";
DROP TRIGGER "users_roles_given" ON "users";
DROP FUNCTION "keep_user_roles";
DROP INDEX "users_by_status";
DROP INDEX "users_by_creation";
DROP TABLE "user_roles";
CREATE INDEX "users_by_status" ON "users" USING btree ("status","id");
