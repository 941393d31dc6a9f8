import { useState } from 'preact/hooks';
import { Badge, Button, Dialog, Field } from '../components/basics';
import { Stage, type StageOptions } from '../components/stage';
import type { InspectionResponse, Verdict as Said } from '../data/api';
import { photographAddress, judge, useDefects, useInspectionPicture } from '../data/inspections';
import { notify, notifyFailure } from '../data/notices';
import { useModels } from '../data/queries';
import { t } from '../texts';
import { Controls, Gauge } from './inspect';
import { inWords, tones, Verdict } from './verdict';

export const verdictTones = { good: 'good', defective: 'bad', unsure: 'review' } as const;
const initial: StageOptions = { opacity: 0.8, contours: true, numbers: false };

/** The photograph of an inspection with its heatmap, or why there is none. */
export function InspectionStage({ of, options }: { of: InspectionResponse; options: StageOptions }) {
    const picture = useInspectionPicture(of);
    const label = t.inspect.picture(of.part ?? t.time(of.at), t.decision[of.decision], of.regions.length);
    if (of.image.keptBytes == null || picture.data === null || picture.isError)
        return <p class="stage-none muted">{of.image.keptBytes == null ? t.inspections.notKept : t.inspections.notDrawn}</p>;
    if (!picture.data)
        return (
            <div class="loading stage-wait" role="status">
                <span class="visually-hidden">{t.loading}</span>
            </div>
        );
    return (
        <div class="stage">
            <Stage picture={picture.data} options={options} label={label} />
        </div>
    );
}

/** What was decided, and why. */
export function InspectionFacts({ of }: { of: InspectionResponse }) {
    const { data: models } = useModels(of.category);
    const images = models?.find(model => model.version === of.modelVersion)?.imageCount;
    const names: [string, string | null | undefined][] = [
        [t.inspections.part, of.part],
        [t.inspections.station, of.station],
        [t.inspections.lot, of.lot],
    ];
    return (
        <>
            <Verdict result={of} />
            <p class="in-words">{inWords(of.pValue, images)}</p>
            <Gauge ratio={of.threshold > 0 ? of.score / of.threshold : 0} />
            <dl class="facts">
                {names.map(
                    ([label, value]) =>
                        value && (
                            <>
                                <dt>{label}</dt>
                                <dd>{value}</dd>
                            </>
                        ),
                )}
                <dt>{t.system.when}</dt>
                <dd>{t.time(of.at)}</dd>
                <dt>{t.inspect.score}</dt>
                <dd>
                    {of.score.toPrecision(4)} ({t.inspect.threshold} {of.threshold.toPrecision(4)})
                </dd>
                <dt>{t.system.version}</dt>
                <dd>
                    {of.modelVersion}
                    {of.decidedBy !== of.category && ` (${of.decidedBy})`}
                </dd>
                {of.verdict && (
                    <>
                        <dt>{t.review.verdict}</dt>
                        <dd>
                            <Badge tone={verdictTones[of.verdict.verdict]}>
                                {of.verdict.defect ?? t.review.verdicts[of.verdict.verdict]}
                            </Badge>{' '}
                            <span class="muted">
                                {of.verdict.who}, {t.time(of.verdict.at)}
                            </span>
                        </dd>
                    </>
                )}
            </dl>
            {of.warnings.length > 0 && <p class="banner review">{of.warnings.join(', ')}</p>}
        </>
    );
}

/** One inspection, with what can be said about its part. */
export function InspectionDialog({ of, onClose }: { of: InspectionResponse; onClose: () => void }) {
    const [options, setOptions] = useState(initial);
    const [naming, setNaming] = useState(false);

    async function say(verdict: Said | undefined, defect?: string) {
        const before = of.verdict;
        setNaming(false);
        try {
            await judge(of, verdict, defect);
            notify(verdict ? t.review.said(t.review.verdicts[verdict]) : t.review.takenBack, 'done', {
                label: t.undo,
                run: () => void judge(of, before?.verdict, before?.defect ?? undefined).catch(notifyFailure),
            });
            onClose();
        } catch (error) {
            notifyFailure(error);
        }
    }

    if (naming)
        return (
            <DefectDialog
                category={of.category}
                onClose={() => setNaming(false)}
                onDefect={defect => void say('defective', defect)}
            />
        );
    return (
        <Dialog wide title={of.part ?? t.time(of.at)} onClose={onClose}>
            <div class="inspect in-dialog">
                <InspectionStage of={of} options={options} />
                <div class="inspect-side">
                    <InspectionFacts of={of} />
                    {of.image.keptBytes != null && <Controls options={options} onChange={setOptions} />}
                </div>
            </div>
            <footer class="row end">
                {of.image.keptBytes != null && (
                    <a class="button quiet" href={photographAddress(of)} download>
                        {t.inspections.download}
                    </a>
                )}
                {of.verdict && <Button onClick={() => void say(undefined)}>{t.review.takeBack}</Button>}
                <Button onClick={() => void say('unsure')}>{t.review.verdicts.unsure}</Button>
                <Button onClick={() => setNaming(true)}>{t.review.verdicts.defective}</Button>
                <Button kind="primary" onClick={() => void say('good')}>
                    {t.review.verdicts.good}
                </Button>
            </footer>
        </Dialog>
    );
}

/** Asks for the kind of defect: one that was used before by a digit, or a new one. */
export function DefectDialog(props: {
    category: string;
    onClose: () => void;
    onDefect: (defect: string | undefined) => void;
}) {
    const { data: known } = useDefects(props.category);
    const [defect, setDefect] = useState('');
    const offered = known?.slice(0, 9) ?? [];
    return (
        <Dialog title={t.review.whichDefect} onClose={props.onClose}>
            <form
                class="stack"
                onSubmit={event => {
                    event.preventDefault();
                    props.onDefect(defect.trim() || undefined);
                }}
                onKeyDown={event => {
                    const chosen = offered[Number(event.key) - 1];
                    if (defect !== '' || !chosen || event.ctrlKey || event.altKey || event.metaKey) return;
                    event.preventDefault();
                    props.onDefect(chosen);
                }}
            >
                <Field label={t.upload.defect} hint={t.upload.defectHint}>
                    {ids => (
                        <input
                            {...ids}
                            type="text"
                            maxLength={64}
                            autocomplete="off"
                            autofocus
                            value={defect}
                            onInput={event => setDefect(event.currentTarget.value)}
                        />
                    )}
                </Field>
                {offered.length > 0 && (
                    <div class="row" role="group" aria-label={t.review.usedBefore}>
                        {offered.map((name, i) => (
                            <Button key={name} keys={String(i + 1)} onClick={() => props.onDefect(name)}>
                                {name}
                            </Button>
                        ))}
                    </div>
                )}
                <footer class="row end">
                    <Button onClick={props.onClose}>{t.cancel}</Button>
                    <Button kind="primary" type="submit">
                        {t.review.verdicts.defective}
                    </Button>
                </footer>
            </form>
        </Dialog>
    );
}

/** Inspections in a row, each with its photograph where that is kept. */
export function InspectionStrip(props: {
    items: readonly InspectionResponse[];
    onOpen: (item: InspectionResponse) => void;
}) {
    return (
        <ul class="strip">
            {props.items.map(item => (
                <li key={item.id}>
                    <button
                        type="button"
                        class={item.image.keptBytes == null ? 'strip-picture gone' : 'strip-picture'}
                        aria-label={t.inspections.open(
                            item.part ?? t.time(item.at),
                            t.decision[item.decision],
                            item.image.keptBytes != null,
                        )}
                        onClick={() => props.onOpen(item)}
                    >
                        {item.image.keptBytes == null ? (
                            t.inspections.noImage
                        ) : (
                            <img src={photographAddress(item)} alt="" loading="lazy" decoding="async" />
                        )}
                    </button>
                    <span class="strip-caption number">
                        {item.score.toPrecision(3)}{' '}
                        <Badge tone={item.verdict ? verdictTones[item.verdict.verdict] : tones[item.decision]}>
                            {item.verdict
                                ? (item.verdict.defect ?? t.review.verdicts[item.verdict.verdict])
                                : t.decision[item.decision]}
                        </Badge>
                    </span>
                </li>
            ))}
        </ul>
    );
}
