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
