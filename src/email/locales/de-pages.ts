import type { PageWords } from '../words.ts';

/** The pages in German, with the formal "Sie". */
export const pages: PageWords = {
  verify_email: {
    title: 'E-Mail-Adresse bestätigen',
    intro:
      'Bestätigen Sie, dass diese E-Mail-Adresse Ihnen gehört. Tun Sie das nur, wenn Sie das Konto selbst angelegt oder erwartet haben.',
    button: 'Adresse bestätigen',
    doneTitle: 'E-Mail-Adresse bestätigt',
    done: 'Ihre E-Mail-Adresse ist bestätigt. Sie können sich jetzt anmelden.',
    expired: 'Dieser Link oder Code ist abgelaufen oder ungültig. Wir schicken Ihnen gern eine neue E-Mail.',
  },
  confirm_registration: {
    title: 'Registrierung abschließen',
    intro:
      'Damit wird Ihr Konto angelegt, mit dem Passwort, das bei der Registrierung gewählt wurde. Fahren Sie nur fort, wenn Sie sich selbst registriert haben.',
    button: 'Konto anlegen',
    doneTitle: 'Konto angelegt',
    done: 'Ihr Konto ist angelegt. Sie können sich jetzt anmelden.',
    expired: 'Dieser Link oder Code ist abgelaufen oder ungültig. Wir schicken Ihnen gern eine neue E-Mail.',
  },
  reset_password: {
    title: 'Neues Passwort festlegen',
    intro: 'Wählen Sie ein neues Passwort. Damit werden alle Geräte abgemeldet, die in Ihrem Konto angemeldet sind.',
    button: 'Passwort festlegen',
    doneTitle: 'Passwort festgelegt',
    done: 'Ihr neues Passwort ist gespeichert. Sie können sich jetzt damit anmelden.',
    expired:
      'Dieser Link oder Code wurde schon benutzt, ist abgelaufen oder ungültig. Wir schicken Ihnen gern eine neue E-Mail.',
  },
  choose_password: {
    title: 'Passwort wählen',
    intro:
      'Wählen Sie ein Passwort für Ihr Konto. Damit wird Ihre E-Mail-Adresse bestätigt, jedes frühere Passwort ersetzt und jedes Gerät abgemeldet.',
    button: 'Passwort speichern',
    doneTitle: 'Passwort festgelegt',
    done: 'Ihr Passwort ist gespeichert. Sie können sich jetzt damit anmelden.',
    expired:
      'Dieser Link oder Code wurde schon benutzt, ist abgelaufen oder ungültig. Wir schicken Ihnen gern eine neue E-Mail.',
  },
  confirm_email_change: {
    title: 'Neue E-Mail-Adresse bestätigen',
    intro:
      'Ihr Konto verwendet künftig diese E-Mail-Adresse. Fahren Sie nur fort, wenn Sie die Änderung selbst angefordert haben.',
    button: 'Neue Adresse bestätigen',
    doneTitle: 'E-Mail-Adresse geändert',
    done: 'Ihre E-Mail-Adresse wurde geändert.',
    expired:
      'Dieser Link oder Code wurde schon benutzt, ist abgelaufen oder ungültig. Beginnen Sie die Änderung in Ihren Kontoeinstellungen noch einmal.',
  },
  undo_email_change: {
    title: 'Änderung der E-Mail-Adresse rückgängig machen',
    intro:
      'Damit gilt wieder Ihre alte E-Mail-Adresse. Alle Geräte werden abgemeldet, Ihr Passwort gilt nicht mehr, und Sie erhalten eine E-Mail, um ein neues zu wählen.',
    button: 'Änderung rückgängig machen',
    doneTitle: 'Änderung rückgängig gemacht',
    done: 'Ihre alte E-Mail-Adresse gilt wieder. Sie erhalten eine E-Mail, um ein neues Passwort zu wählen.',
    expired: 'Dieser Link wurde schon benutzt, ist abgelaufen oder ungültig.',
  },
  resend_verification: {
    title: 'E-Mail-Adresse bestätigen: neuen Link anfordern',
    intro: 'Geben Sie Ihre E-Mail-Adresse ein. Wir schicken Ihnen einen neuen Link.',
    button: 'E-Mail senden',
    doneTitle: 'Sehen Sie in Ihre E-Mails',
    done: 'Falls diese Adresse noch bestätigt werden muss, ist eine E-Mail unterwegs. Das kann eine Minute dauern; sehen Sie auch im Spam-Ordner nach.',
  },
  forgot_password: {
    title: 'Passwort vergessen?',
    intro: 'Geben Sie Ihre E-Mail-Adresse ein. Wir schicken Ihnen einen Link, um ein neues Passwort festzulegen.',
    button: 'E-Mail senden',
    doneTitle: 'Sehen Sie in Ihre E-Mails',
    done: 'Falls es ein Konto mit dieser Adresse gibt, ist eine E-Mail unterwegs. Das kann eine Minute dauern; sehen Sie auch im Spam-Ordner nach.',
  },
  useCode: 'Stattdessen den Code aus der E-Mail eingeben',
  wrongCode: 'Dieser Code stimmt nicht oder ist abgelaufen. Prüfen Sie ihn, oder fordern Sie eine neue E-Mail an.',
  newEmail: 'Neue E-Mail anfordern',
  showPassword: 'Passwort anzeigen',
  email: 'E-Mail-Adresse',
  code: 'Code',
  newPassword: 'Neues Passwort',
  passwordHint: (min) => `Mindestens ${min} Zeichen. Mehrere Wörter ohne Zusammenhang ergeben ein gutes Passwort.`,
  onward: (service) => `Weiter zu ${service}`,
  back: (service) => `Zurück zu ${service}`,
  close: 'Sie können diese Seite schließen.',
  alreadyVerified: 'Ihre E-Mail-Adresse ist bereits bestätigt. Sie können sich anmelden.',
  expiredTitle: 'Link nicht mehr gültig',
  takenTitle: 'Bereits vergeben',
  identifier_taken: 'Ein anderes Konto verwendet diese E-Mail-Adresse oder diesen Benutzernamen bereits.',
  rate_limited: 'Zu viele Versuche. Warten Sie ein paar Minuten und versuchen Sie es noch einmal.',
  weakPassword: 'Dieses Passwort können Sie nicht verwenden:',
  missingProof: 'Öffnen Sie den Link aus der E-Mail noch einmal, oder geben Sie Ihre E-Mail-Adresse und den Code ein.',
  notAnAddress: 'Bitte geben Sie eine gültige E-Mail-Adresse ein.',
  failed: 'Bei uns ist etwas schiefgegangen. Bitte versuchen Sie es gleich noch einmal.',
};
