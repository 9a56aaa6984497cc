import type { Words } from '../words.ts';
import { pages } from './de-pages.ts';

/** German, with the formal "Sie". */
export const words: Words = {
  pages,
  mails: {
    verify_email: ({ service }) => ({
      subject: `Bestätigen Sie Ihre E-Mail-Adresse für ${service}`,
      heading: 'Bestätigen Sie Ihre E-Mail-Adresse',
      body: [
        `Ein Konto bei ${service} verwendet diese Adresse. Falls es Ihres ist, bestätigen Sie bitte die Adresse.`,
        'Bestätigen Sie nur ein Konto, das Sie selbst angelegt oder erwartet haben: Wer es angelegt hat, kennt vielleicht das Passwort.',
      ],
      button: 'Adresse bestätigen',
      otherwise: 'Nicht Ihres? Ignorieren Sie diese E-Mail, und die Adresse bleibt unbestätigt.',
    }),
    confirm_created_account: ({ service, resetPage }) => ({
      subject: `Ihr Konto bei ${service}`,
      heading: 'Bestätigen Sie Ihr neues Konto',
      body: [
        `Die Administration von ${service} hat ein Konto für Sie angelegt und das Passwort gewählt. Bitte bestätigen Sie, dass diese Adresse Ihnen gehört.`,
        `Bestätigen Sie nur, wenn Sie das erwartet haben. Öffnen Sie danach ${resetPage} und legen Sie ein Passwort fest, das nur Sie kennen.`,
      ],
      button: 'Adresse bestätigen',
      otherwise: 'Nicht erwartet? Ignorieren Sie diese E-Mail, und die Adresse bleibt unbestätigt.',
    }),
    confirm_registration: ({ service }) => ({
      subject: `Schließen Sie Ihre Registrierung bei ${service} ab`,
      heading: 'Schließen Sie Ihre Registrierung ab',
      body: [
        `Jemand hat sich mit dieser Adresse bei ${service} registriert. Falls Sie das waren, bestätigen Sie es: Damit wird Ihr Konto angelegt, mit dem Passwort, das bei der Registrierung gewählt wurde.`,
      ],
      button: 'Konto anlegen',
      otherwise:
        'Das waren nicht Sie? Ignorieren Sie diese E-Mail, und es wird kein Konto angelegt. Bestätigen Sie nichts für andere, denn diese kennen das Passwort.',
    }),
    finish_registration: ({ service }) => ({
      subject: `Schließen Sie Ihre Registrierung bei ${service} ab`,
      heading: 'Wählen Sie ein Passwort, um die Registrierung abzuschließen',
      body: [
        `Jemand, vermutlich Sie, hat sich mit dieser Adresse bei ${service} registriert. Wählen Sie ein Passwort, um Ihr Konto anzulegen. Nur was Sie jetzt eingeben, zählt.`,
      ],
      button: 'Passwort wählen',
      otherwise: 'Das waren nicht Sie? Ignorieren Sie diese E-Mail, und es wird kein Konto angelegt.',
    }),
    unconfirmed_account: ({ service }) => ({
      subject: `Wählen Sie ein Passwort für Ihr Konto bei ${service}`,
      heading: 'Sie haben bereits ein Konto',
      body: [
        `Jemand, vermutlich Sie, hat diese Adresse bei ${service} eingegeben. Es gibt bereits ein Konto mit dieser Adresse, doch sie wurde nie bestätigt. Nichts wurde geändert.`,
        'Um das Konto zu verwenden, wählen Sie ein Passwort. Damit wird Ihre Adresse bestätigt, jedes frühere Passwort ersetzt und jedes Gerät abgemeldet.',
      ],
      button: 'Passwort wählen',
      otherwise: 'Das waren nicht Sie? Ignorieren Sie diese E-Mail, und das Konto bleibt, wie es ist.',
    }),
    already_registered: ({ service, resetPage }) => ({
      subject: `Sie haben bereits ein Konto bei ${service}`,
      heading: 'Sie haben bereits ein Konto',
      body: [
        `Jemand, vermutlich Sie, hat diese Adresse bei ${service} eingegeben. Es gibt bereits ein Konto mit dieser Adresse. Nichts wurde geändert.`,
        `Melden Sie sich an, um fortzufahren. Falls Sie Ihr Passwort vergessen haben, öffnen Sie ${resetPage} und legen Sie ein neues fest.`,
      ],
      otherwise: 'Das waren nicht Sie? Ignorieren Sie diese E-Mail. Ihr Konto ist sicher.',
    }),
    reset_password: ({ service }) => ({
      subject: `Neues Passwort für ${service} festlegen`,
      heading: 'Legen Sie ein neues Passwort fest',
      body: [`Jemand, vermutlich Sie, hat für Ihr Konto bei ${service} ein neues Passwort angefordert.`],
      button: 'Neues Passwort festlegen',
      otherwise: 'Das waren nicht Sie? Ignorieren Sie diese E-Mail, und Ihr Passwort bleibt, wie es ist.',
    }),
    choose_password: ({ service }) => ({
      subject: `Wählen Sie ein Passwort für ${service}`,
      heading: 'Wählen Sie ein Passwort',
      body: [
        `Die Administration von ${service} bittet Sie, ein Passwort für Ihr Konto zu wählen. Bis dahin kann sich niemand mit einem Passwort anmelden.`,
      ],
      button: 'Passwort wählen',
      otherwise: 'Sie haben dort kein Konto? Ignorieren Sie diese E-Mail.',
    }),
    password_changed: ({ service, resetPage }) => ({
      subject: `Ihr Passwort für ${service} wurde geändert`,
      heading: 'Ihr Passwort wurde geändert',
      body: [`Das Passwort Ihres Kontos bei ${service} wurde geändert, und Ihre anderen Geräte wurden abgemeldet.`],
      otherwise: `Das waren nicht Sie? Öffnen Sie ${resetPage} und legen Sie jetzt ein neues fest. Damit werden alle Geräte abgemeldet.`,
    }),
    confirm_email_change: ({ service }) => ({
      subject: `Bestätigen Sie Ihre neue E-Mail-Adresse für ${service}`,
      heading: 'Bestätigen Sie Ihre neue E-Mail-Adresse',
      body: [
        `Jemand möchte diese Adresse für sein Konto bei ${service} verwenden. Falls Sie das waren, bestätigen Sie es: Ihr Konto verwendet dann diese Adresse.`,
      ],
      button: 'Neue Adresse bestätigen',
      otherwise: 'Das waren nicht Sie? Ignorieren Sie diese E-Mail, und nichts ändert sich.',
    }),
    email_changed: ({ service, email }) => ({
      subject: `Ihre E-Mail-Adresse für ${service} wurde geändert`,
      heading: 'Ihre E-Mail-Adresse wurde geändert',
      body: [
        `Ihr Konto bei ${service} verwendet jetzt ${email}.`,
        'Falls Sie das nicht waren, machen Sie die Änderung rückgängig. Damit werden alle Geräte abgemeldet, und Sie wählen ein neues Passwort.',
      ],
      button: 'Änderung rückgängig machen',
      otherwise: 'Falls Sie das waren, brauchen Sie nichts zu tun.',
    }),
    new_sign_in: ({ service, resetPage }) => ({
      subject: `Neue Anmeldung bei ${service}`,
      heading: 'Neue Anmeldung in Ihrem Konto',
      body: [`Jemand hat sich von einem Gerät, das wir nicht kennen, in Ihrem Konto bei ${service} angemeldet.`],
      otherwise: `Falls Sie das waren, brauchen Sie nichts zu tun. Falls nicht, öffnen Sie ${resetPage} und legen Sie jetzt ein neues Passwort fest. Damit werden alle Geräte abgemeldet.`,
    }),
    account_locked: ({ service, resetPage }) => ({
      subject: `Zu viele fehlgeschlagene Anmeldungen bei ${service}`,
      heading: 'Zu viele fehlgeschlagene Anmeldungen',
      body: [
        `Jemand hat viele Male vergeblich versucht, sich in Ihrem Konto bei ${service} anzumelden. Neue Versuche müssen eine Weile warten. Geräte, die Sie schon benutzt haben, können sich weiterhin anmelden.`,
      ],
      otherwise: `Niemand ist hineingekommen. Falls Ihr Passwort kurz ist oder Sie es auch anderswo benutzen, öffnen Sie ${resetPage} und legen Sie ein besseres fest.`,
    }),
    account_deleted: ({ service }) => ({
      subject: `Ihr Konto bei ${service} wurde gelöscht`,
      heading: 'Ihr Konto wurde gelöscht',
      body: [
        `Ihr Konto bei ${service} und alle zugehörigen Daten wurden gelöscht. Das lässt sich nicht rückgängig machen.`,
      ],
      otherwise: 'Das waren nicht Sie? Jemand kannte Ihr Passwort: Ändern Sie es überall, wo Sie es sonst benutzen.',
    }),
    account_removed: ({ service }) => ({
      subject: `Ihr Konto bei ${service} wurde gelöscht`,
      heading: 'Ihr Konto wurde gelöscht',
      body: [
        `Die Administration von ${service} hat Ihr Konto und alle zugehörigen Daten gelöscht. Das lässt sich nicht rückgängig machen.`,
      ],
      otherwise: 'Falls Sie das für einen Irrtum halten, wenden Sie sich an den Betreiber des Dienstes.',
    }),
  },
  parts: {
    link: 'Falls die Schaltfläche nicht funktioniert, öffnen Sie diesen Link:',
    lasts: (hours) =>
      hours === 1
        ? 'Der Link ist eine Stunde lang gültig.'
        : `Der Link ist ${hours > 48 ? `${hours / 24} Tage` : `${hours} Stunden`} lang gültig.`,
    code: (minutes, page) =>
      page === undefined
        ? `Oder geben Sie diesen Code auf einem anderen Gerät ein. Er gilt ${minutes} Minuten:`
        : `Oder öffnen Sie auf einem anderen Gerät ${page} und geben Sie dort innerhalb von ${minutes} Minuten diesen Code ein:`,
    when: 'Wann',
    where: 'Von',
    device: 'Gerät',
    footer: (service) => `Gesendet von ${service}. Bitte antworten Sie nicht auf diese E-Mail.`,
  },
};
