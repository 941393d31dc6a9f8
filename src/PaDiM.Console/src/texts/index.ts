import { en, type Texts } from './en';

/** The languages that there are. To add one, add an object of the shape of `Texts`. */
const languages: Record<string, Texts> = { en };

const language = navigator.languages.map(tag => tag.split('-')[0] ?? '').find(tag => tag in languages) ?? 'en';
export const t: Texts = languages[language] ?? en;
document.documentElement.lang = t.locale;
