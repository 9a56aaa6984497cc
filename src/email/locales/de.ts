import type { Words } from '../words.ts';

const secure =
  'Falls nicht, legen Sie in der Anwendung sofort ein neues Passwort fest: Damit enden alle offenen Sitzungen.';

/** German, with the formal "Sie". */
export const words: Words = {
  pages: {
    verify_email: {
      title: 'E-Mail-Adresse bestätigen',
      intro: 'Bestätigen Sie mit dem Knopf, dass diese E-Mail-Adresse Ihnen gehört.',
      button: 'Adresse bestätigen',
      done: 'Ihre E-Mail-Adresse ist bestätigt. Sie können diese Seite schließen und sich anmelden.',
    },
    reset_password: {
      title: 'Neues Passwort setzen',
      intro: 'Wählen Sie ein neues Passwort. Alle, die in Ihrem Konto angemeldet sind, werden abgemeldet.',
      button: 'Passwort setzen',
      done: 'Ihr neues Passwort ist gesetzt. Sie können diese Seite schließen und sich anmelden.',
    },
    confirm_email_change: {
      title: 'Neue E-Mail-Adresse bestätigen',
      intro: 'Mit dem Knopf gilt diese E-Mail-Adresse von nun an für Ihr Konto.',
      button: 'Neue Adresse bestätigen',
      done: 'Ihre E-Mail-Adresse ist geändert. Sie können diese Seite schließen.',
    },
    undo_email_change: {
      title: 'Änderung der E-Mail-Adresse rückgängig machen',
      intro:
        'Mit dem Knopf bekommen Sie Ihre alte Adresse zurück. Alle Angemeldeten werden abgemeldet, das Passwort gilt nicht mehr, und eine E-Mail für ein neues folgt.',
      button: 'Änderung rückgängig machen',
      done: 'Ihre alte Adresse gilt wieder. Eine E-Mail, um ein neues Passwort zu setzen, ist unterwegs.',
    },
    useCode: 'Stattdessen den Code aus der E-Mail eingeben',
    email: 'E-Mail-Adresse',
    code: 'Code',
    newPassword: 'Neues Passwort',
    passwordHint: (least) => `Mindestens ${least} Zeichen. Gut sind mehrere Wörter, die nicht zusammengehören.`,
    withoutLink: 'Diese Seite braucht den Link aus einer E-Mail oder deren Code.',
    link_expired:
      'Dieser Link oder Code wurde schon benutzt, ist abgelaufen oder ungültig. Fordern Sie eine neue E-Mail an.',
    identifier_taken: 'Das hat inzwischen ein anderes Konto.',
    rate_limited: 'Zu viele Versuche. Warten Sie eine Weile und versuchen Sie es noch einmal.',
    weakPassword: 'Dieses Passwort geht nicht:',
    missingProof: 'Öffnen Sie noch einmal den Link aus der E-Mail, oder geben Sie die E-Mail-Adresse und den Code an.',
    failed: 'Das hat nicht geklappt. Warten Sie einen Moment und versuchen Sie es noch einmal.',
  },
  mails: {
    verify_email: ({ service }) => ({
      subject: `Bestätigen Sie Ihre E-Mail-Adresse für ${service}`,
      heading: 'Bestätigen Sie Ihre E-Mail-Adresse',
      body: [
        `Jemand, vermutlich Sie, hat bei ${service} diese Adresse angegeben. Bestätigen Sie, dass sie Ihnen gehört.`,
      ],
      button: 'Adresse bestätigen',
      otherwise:
        'Falls Sie das nicht waren, ignorieren Sie diese Mail: Ohne den Link oder den Code kann niemand Ihre Adresse bestätigen.',
    }),
    already_registered: ({ service }) => ({
      subject: `Sie haben bereits ein Konto bei ${service}`,
      heading: 'Sie haben bereits ein Konto',
      body: [
        `Jemand, vermutlich Sie, wollte sich mit dieser Adresse registrieren. Zu ihr gibt es bei ${service} bereits ein Konto; daran wurde nichts geändert.`,
        'Melden Sie sich an, um fortzufahren. Falls Sie das Passwort vergessen haben, fordern Sie bei der Anmeldung ein neues an.',
      ],
      otherwise: 'Falls Sie das nicht waren, ignorieren Sie diese Mail: Ihr Konto ist so sicher wie zuvor.',
    }),
    reset_password: ({ service }) => ({
      subject: `Neues Passwort für ${service} festlegen`,
      heading: 'Legen Sie ein neues Passwort fest',
      body: [`Jemand, vermutlich Sie, hat für Ihr Konto bei ${service} ein neues Passwort angefordert.`],
      button: 'Neues Passwort festlegen',
      otherwise: 'Falls Sie das nicht waren, ignorieren Sie diese Mail: Ihr Passwort bleibt, wie es ist.',
    }),
    choose_password: ({ service }) => ({
      subject: `Wählen Sie ein Passwort für ${service}`,
      heading: 'Wählen Sie ein Passwort',
      body: [
        `Die Verwaltung von ${service} bittet Sie, ein Passwort für Ihr Konto zu wählen. Bis dahin kann sich niemand mit einem Passwort anmelden.`,
      ],
      button: 'Passwort wählen',
      otherwise: 'Falls Sie dort kein Konto haben, ignorieren Sie diese Mail.',
    }),
    password_changed: ({ service }) => ({
      subject: `Ihr Passwort für ${service} wurde geändert`,
      heading: 'Ihr Passwort wurde geändert',
      body: [`Das Passwort Ihres Kontos bei ${service} wurde geändert; andere offene Sitzungen wurden beendet.`],
      otherwise:
        'Falls Sie das nicht waren, fordern Sie bei der Anmeldung mit "Passwort vergessen" ein neues an: Damit enden alle Sitzungen.',
    }),
    confirm_email_change: ({ service }) => ({
      subject: `Bestätigen Sie Ihre neue E-Mail-Adresse für ${service}`,
      heading: 'Bestätigen Sie Ihre neue E-Mail-Adresse',
      body: [`Jemand, vermutlich Sie, möchte diese Adresse künftig für ein Konto bei ${service} verwenden.`],
      button: 'Neue Adresse bestätigen',
      otherwise:
        'Falls Sie das nicht waren, ignorieren Sie diese Mail: Ohne den Link oder den Code wird nichts geändert.',
    }),
    email_changed: ({ service, email }) => ({
      subject: `Ihre E-Mail-Adresse für ${service} wurde geändert`,
      heading: 'Ihre E-Mail-Adresse wurde geändert',
      body: [
        `Die E-Mail-Adresse Ihres Kontos bei ${service} wurde zu ${email} geändert.`,
        'Falls Sie das nicht waren, machen Sie es rückgängig: Das ist 7 Tage lang möglich. Alle, die angemeldet sind, müssen sich dann neu anmelden.',
      ],
      button: 'Änderung rückgängig machen',
      otherwise: 'Falls Sie das waren, brauchen Sie nichts zu tun.',
    }),
    new_sign_in: ({ service }) => ({
      subject: `Neue Anmeldung bei ${service}`,
      heading: 'Eine Anmeldung von einem unbekannten Gerät',
      body: [`Jemand hat sich bei ${service} mit Ihrem Konto angemeldet, von einem bisher nicht benutzten Gerät.`],
      otherwise: `Falls Sie das waren, brauchen Sie nichts zu tun. ${secure}`,
    }),
    account_locked: ({ service }) => ({
      subject: `Die Anmeldung bei ${service} wurde vorübergehend gesperrt`,
      heading: 'Zu viele fehlgeschlagene Anmeldungen',
      body: [
        `Es gab viele fehlgeschlagene Versuche, sich mit Ihrem Konto bei ${service} anzumelden. Weitere Versuche müssen eine Weile warten; Geräte, mit denen Sie schon angemeldet waren, sind davon nicht betroffen.`,
      ],
      otherwise:
        'Falls Sie das nicht waren: Es ist niemand hineingekommen. Falls Sie Ihr Passwort auch anderswo benutzen oder es kurz ist, legen Sie ein besseres fest.',
    }),
    account_deleted: ({ service }) => ({
      subject: `Ihr Konto bei ${service} wurde gelöscht`,
      heading: 'Ihr Konto wurde gelöscht',
      body: [
        `Ihr Konto bei ${service} wurde mit allen Daten über Sie gelöscht. Das lässt sich nicht rückgängig machen.`,
      ],
      otherwise:
        'Falls Sie das nicht waren, kannte jemand Ihr Passwort: Ändern Sie es überall, wo Sie es sonst noch benutzen.',
    }),
    account_removed: ({ service }) => ({
      subject: `Ihr Konto bei ${service} wurde gelöscht`,
      heading: 'Ihr Konto wurde gelöscht',
      body: [
        `Die Verwaltung von ${service} hat Ihr Konto mit allen Daten über Sie gelöscht. Das lässt sich nicht rückgängig machen.`,
      ],
      otherwise: 'Falls Sie das für einen Irrtum halten, wenden Sie sich an die Verwaltung des Dienstes.',
    }),
  },
  parts: {
    link: 'Falls die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:',
    code: 'Oder geben Sie diesen Code auf einem anderen Gerät ein. Er gilt 10 Minuten:',
    when: 'Wann',
    where: 'Von',
    device: 'Gerät',
    footer: (service) => `Gesendet von ${service}. Antworten an diese Adresse liest niemand.`,
  },
};
