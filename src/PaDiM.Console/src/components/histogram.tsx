import { useId } from 'preact/hooks';
import { t } from '../texts';
import { fillWith, Hatch } from './hatch';

export interface Scores {
    good: readonly number[];
    bad: readonly number[];
}

const WIDTH = 1000,
    HEIGHT = 260,
    BINS = 56;

/** How scores lie to the left and right of a threshold. The scale is logarithmic: defects score many times as high. */
export function Histogram(props: { scores: Scores; now: number; then: number }) {
    const { scores, now, then } = props;
    const hatch = useId();
    const all = [...scores.good, ...scores.bad];
    if (all.length === 0) return null;
    const low = Math.log(Math.max(1e-6, 0.85 * Math.min(...all, now, then)));
    const high = Math.log(Math.max(...all, now, then) * 1.15);
    const place = (score: number) => (Math.log(Math.max(1e-6, score)) - low) / (high - low);
    const good = count(scores.good, place);
    const bad = count(scores.bad, place);
    const tallest = Math.max(...good.map((value, i) => value + bad[i]!));
    const step = WIDTH / BINS;
    // Single images stay visible beside hundreds.
    const tall = (value: number) => (value === 0 ? 0 : Math.max(4, (Math.sqrt(value) / Math.sqrt(tallest)) * (HEIGHT - 24)));
    const beyond = (values: readonly number[]) => values.filter(score => score >= then).length;
    return (
        <figure class="histogram">
            <svg
                viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
                role="img"
                aria-label={t.threshold.chart(
                    scores.good.length,
                    beyond(scores.good),
                    scores.bad.length,
                    beyond(scores.bad),
                )}
                preserveAspectRatio="none"
            >
                <Hatch id={hatch} />
                <rect
                    class="beyond"
                    x={place(then) * WIDTH}
                    y="0"
                    width={Math.max(0, WIDTH - place(then) * WIDTH)}
                    height={HEIGHT}
                />
                {good.map((value, i) => {
                    const whole = tall(value + bad[i]!);
                    const share = value + bad[i]! > 0 ? value / (value + bad[i]!) : 0;
                    return (
                        <g key={i}>
                            <rect
                                class="bar-good"
                                x={i * step + 1}
                                y={HEIGHT - whole * share}
                                width={step - 2}
                                height={whole * share}
                            />
                            <rect
                                fill={fillWith(hatch)}
                                x={i * step + 1}
                                y={HEIGHT - whole}
                                width={step - 2}
                                height={whole * (1 - share)}
                            />
                        </g>
                    );
                })}
                <line class="line-now" x1={place(now) * WIDTH} x2={place(now) * WIDTH} y1="0" y2={HEIGHT} />
                <line class="line-then" x1={place(then) * WIDTH} x2={place(then) * WIDTH} y1="0" y2={HEIGHT} />
            </svg>
            <figcaption class="legend">
                <span class="key good">{t.threshold.goodScores}</span>
                {scores.bad.length > 0 && <span class="key bad">{t.threshold.badScores}</span>}
                <span class="key now">{t.threshold.inForce}</span>
                <span class="key then">{t.threshold.proposed}</span>
            </figcaption>
        </figure>
    );
}

function count(scores: readonly number[], place: (score: number) => number): number[] {
    const bins = new Array<number>(BINS).fill(0);
    for (const score of scores) {
        const bin = Math.min(BINS - 1, Math.max(0, Math.floor(place(score) * BINS)));
        bins[bin]!++;
    }
    return bins;
}
