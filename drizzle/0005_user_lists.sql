CREATE TABLE "user_roles" (
	"user_id" uuid NOT NULL,
	"role" text NOT NULL,
	"status" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "user_roles_user_id_role_pk" PRIMARY KEY("user_id","role")
);
--> statement-breakpoint
DROP INDEX "users_by_status";--> statement-breakpoint
ALTER TABLE "user_roles" ADD CONSTRAINT "user_roles_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "user_roles_by_role" ON "user_roles" USING btree ("role","created_at","user_id");--> statement-breakpoint
CREATE INDEX "user_roles_by_status" ON "user_roles" USING btree ("role","status","created_at","user_id");--> statement-breakpoint
CREATE INDEX "users_by_creation" ON "users" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "users_by_status" ON "users" USING btree ("status","created_at","id");--> statement-breakpoint
CREATE FUNCTION "keep_user_roles"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	IF TG_OP = 'UPDATE' THEN
		DELETE FROM "public"."user_roles" WHERE "user_id" = NEW."id";
	END IF;
	INSERT INTO "public"."user_roles" ("user_id", "role", "status", "created_at")
		SELECT DISTINCT NEW."id", "role", NEW."status", NEW."created_at" FROM unnest(NEW."roles") AS "role";
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "users_roles_given" AFTER INSERT ON "users" FOR EACH ROW EXECUTE FUNCTION "keep_user_roles"();
--> statement-breakpoint
CREATE TRIGGER "users_roles_changed" AFTER UPDATE ON "users" FOR EACH ROW
	WHEN ((OLD."roles", OLD."status", OLD."created_at") IS DISTINCT FROM (NEW."roles", NEW."status", NEW."created_at"))
	EXECUTE FUNCTION "keep_user_roles"();
--> statement-breakpoint
-- After the triggers, which nobody gets past until this is committed.
INSERT INTO "user_roles" ("user_id", "role", "status", "created_at")
	SELECT DISTINCT "id", "role", "status", "created_at" FROM "users", unnest("roles") AS "role";
