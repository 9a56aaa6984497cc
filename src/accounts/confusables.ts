/**
 * Letters that look like Latin ones, each with the one it looks like, in lower case and without accents: the part of UTS 39
 * (confusables.txt) in which names of one service meet. The migration `username_skeleton` holds the same table.
 */
const pairs = [
  // Cyrillic
  'аa ԁd сc еe һh іi јj ӏl оo рp ԛq гr ѕs ѵv ԝw хx уy үy',
  // Greek
  'αa γy ιi οo ρp σo υu νv',
  // Armenian
  'հh ոn օo զq սu յj ցg',
  // Latin letters that are on few keyboards
  'ɑa ɡg ıi ɩi ɪi ʏy ʋu ᴄc ᴏo ᴜu ᴠv ᴡw ᴢz ꜱs',
].flatMap((script) => script.split(' ').map(([letter = '', look = '']) => [letter, look] as const));

/** Capitals that look like Latin ones, of scripts that are in everyday use. */
const capitals: ReadonlyMap<string, string> = new Map(
  [
    'АA ВB СC ԌG ЕE НH ІI ЈJ КK ӀI МM ОO РP ԚQ ЅS ТT ѴV ԜW ХX ҮY',
    'ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX',
    'ՍU ՕO ՏS',
  ].flatMap((script) => script.split(' ').map(([letter = '', look = '']) => [letter, look] as const)),
);

const lookAlikes: ReadonlyMap<string, string> = new Map(pairs);

/**
 * What a name looks like: names of one skeleton cannot be told apart by eye (UTS 39 section 4). Accents stay, since they
 * can be seen.
 * @param key of a username: NFKC and lower case
 */
export const skeletonOf = (key: string): string =>
  Array.from(key.normalize('NFD'), (letter) => lookAlikes.get(letter) ?? letter)
    .join('')
    .normalize('NFC');

/**
 * What a name looks like as it is shown, in lower case: capitals may look like those of another script where the small
 * letters do not, and a capital I like a small L.
 * @param username as it was typed, NFKC
 */
export const shownLookOf = (username: string): string =>
  skeletonOf(
    Array.from(username.normalize('NFD'), (letter) => capitals.get(letter) ?? letter)
      .join('')
      .replaceAll('I', 'l')
      .toLowerCase(),
  );

/** Whether a name has other letters than Latin ones and looks as if it had none, only because of its capitals. */
export const posesAsLatin = (username: string): boolean => {
  const isPlain = (text: string) => /^[\0-\x7f]*$/.test(text);
  return !isPlain(username) && isPlain(shownLookOf(username)) && !isPlain(skeletonOf(username.toLowerCase()));
};
