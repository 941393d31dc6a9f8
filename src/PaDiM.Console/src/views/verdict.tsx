import { Icon, type IconName } from '../components/icons';
import type { Tone } from '../components/basics';
import type { Decision } from '../data/api';
import { t } from '../texts';

export const tones: Record<Decision, Tone> = { normal: 'good', review: 'review', anomalous: 'bad' };
const icons: Record<Decision, IconName> = { normal: 'good', review: 'review', anomalous: 'bad' };

/** The decision, large enough to be read from where the part is handled. */
export function Verdict({ result, small }: { result: { decision: Decision }; small?: boolean }) {
    return (
        <div class={`verdict ${tones[result.decision]} ${small ? 'small' : ''}`}>
            <Icon name={icons[result.decision]} size={small ? 24 : 44} />
            <strong>{t.decision[result.decision]}</strong>
        </div>
    );
}

/** How unusual a score is, in words. `images` is the number of good parts that the model learned from. */
export function inWords(pValue: number, images: number | undefined): string {
    if (images && pValue <= 1.5 / (images + 1)) return t.inspect.unseen(t.number(images));
    if (pValue > 0.6) return t.inspect.usual;
    if (pValue > 0.4) return t.inspect.half;
    return t.inspect.stranger(t.number(Math.round(1 / pValue)));
}
