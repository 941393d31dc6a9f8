import type { EvaluatedImage } from './api';

export interface Point {
    x: number;
    y: number;
}

/** The share of defective parts found over the share of good parts rejected, for every threshold. */
export function rocOf(images: readonly EvaluatedImage[]): Point[] {
    const { steps, good, bad } = count(images);
    return [
        { x: 0, y: 0 },
        ...steps.map(step => ({ x: good > 0 ? step.good / good : 0, y: bad > 0 ? step.bad / bad : 0 })),
    ];
}

/** The share of rejected parts that are defective over the share of defective parts found. */
export function precisionOf(images: readonly EvaluatedImage[]): Point[] {
    const { steps, bad } = count(images);
    return steps.map(step => ({ x: bad > 0 ? step.bad / bad : 0, y: step.bad / (step.bad + step.good) }));
}

/** How many good and defective parts score at least as high, from the highest score down. Equal scores are one step. */
function count(images: readonly EvaluatedImage[]) {
    const sorted = [...images].sort((a, b) => b.score - a.score);
    const steps: { good: number; bad: number }[] = [];
    let good = 0;
    let bad = 0;
    sorted.forEach((image, i) => {
        if (image.label === 'normal') good++;
        else bad++;
        if (sorted[i + 1]?.score !== image.score) steps.push({ good, bad });
    });
    return { steps, good, bad };
}
