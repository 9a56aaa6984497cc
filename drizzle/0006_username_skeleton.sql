ALTER TABLE "users" ADD COLUMN "username_skeleton" text;--> statement-breakpoint
-- Names that look like another one keep their own key; of several that look alike only the oldest gets the look.
UPDATE "users" AS u SET "username_skeleton" = s.skeleton FROM (
  SELECT "id", "username_key", skeleton, row_number() OVER (PARTITION BY skeleton ORDER BY "created_at", "id") AS place FROM (
    SELECT "id", "username_key", "created_at", normalize(translate(normalize("username_key", NFD),
      'аԁсеһіјӏорԛгѕѵԝхуүαγιορσυνհոօզսյցɑɡıɩɪʏʋᴄᴏᴜᴠᴡᴢꜱ',
      'adcehijlopqrsvwxyyayiopouvhnoqujgagiiiyucouvwzs'
    ), NFC) AS skeleton FROM "users" WHERE octet_length("username_key") > char_length("username_key")
  ) AS looks
) AS s WHERE u."id" = s."id" AND s.place = 1 AND s.skeleton <> s."username_key"
  AND NOT EXISTS (SELECT FROM "users" AS o WHERE o."username_key" = s.skeleton);--> statement-breakpoint
CREATE UNIQUE INDEX "users_username_skeleton_key" ON "users" USING btree (coalesce("username_skeleton", "username_key"));
