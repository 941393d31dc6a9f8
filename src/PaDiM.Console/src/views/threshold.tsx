import { keepPreviousData, useQuery } from '@tanstack/preact-query';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { Button, Dialog, Field, Loaded, Panel, Table } from '../components/basics';
import { Histogram } from '../components/histogram';
import { PictureStrip, type StripImage } from '../components/picture-strip';
import {
    api,
    must,
    readAll,
    type CategoryResponse,
    type ThresholdChangeResponse,
    type ThresholdPreview,
    type ThresholdResponse,
    type ThresholdScore,
} from '../data/api';
import { imageAddress } from '../data/address';
import { notify, notifyFailure } from '../data/notices';
import { queries, useThreshold } from '../data/queries';
import { useRights } from '../data/session';
import { t } from '../texts';
import { EvaluateButton } from './evaluations';

const STEPS = 400,
    MAX_RATE = 0.5,
    SETTLE_MS = 120;

type Change = ({ falseRejectRate: number } | { threshold: number | null }) & { reason?: string };

/** Chooses how many good parts may be rejected, and shows what that does to the images that are known. */
export function Threshold({ category }: { category: CategoryResponse }) {
    const threshold = useThreshold(category.name);
    const { may } = useRights();
    return (
        <Loaded query={threshold}>
            {is => (
                <div class="stack">
                    {may('train') ? <Chooser category={category} is={is} /> : <InForce is={is} />}
                    <History changes={is.history} />
                </div>
            )}
        </Loaded>
    );
}

function InForce({ is }: { is: ThresholdResponse }) {
    return (
        <Panel>
            <p class="rate-words">{t.threshold.rate(is.falseRejectRate)}</p>
            <p class="muted number">
                {t.inspect.threshold} {is.threshold?.toPrecision(4)}
            </p>
        </Panel>
    );
}

function Chooser({ category, is }: { category: CategoryResponse; is: ThresholdResponse }) {
    const smallest = is.smallestFalseRejectRate ?? 0.001;
    const [rate, setRate] = useState(is.falseRejectRate);
    const [busy, setBusy] = useState(false);
    const [reason, setReason] = useState('');
    const [opened, setOpened] = useState<StripImage>();
    const settled = useSettled(rate);
    const source = category.imagesOf ?? category.name;
    const scores = useQuery({
        queryKey: ['threshold-scores', category.name, is.modelVersion],
        queryFn: () =>
            readAll(cursor =>
                must(
                    api.GET('/v1/categories/{category}/threshold/scores', {
                        params: { path: { category: category.name }, query: { limit: 1000, cursor } },
                    }),
                ),
            ),
    });
    const preview = useQuery({
        queryKey: ['threshold-preview', category.name, is.modelVersion, is.threshold, settled],
        placeholderData: keepPreviousData,
        queryFn: () =>
            must(
                api.POST('/v1/categories/{category}/threshold/preview', {
                    params: { path: { category: category.name } },
                    body: { falseRejectRate: settled } as never,
                }),
            ),
    });
    const changed = Math.abs(rate - is.falseRejectRate) > 1e-9 || !is.calibrated;

    async function apply() {
        const before: Change = is.calibrated
            ? { falseRejectRate: is.falseRejectRate }
            : { threshold: is.threshold ?? null };
        setBusy(true);
        try {
            const why = reason.trim() ? { reason: reason.trim() } : {};
            if (!is.calibrated) await patch(category.name, { threshold: null, ...why });
            await patch(category.name, { falseRejectRate: rate, ...why });
            setReason('');
            notify(t.threshold.applied(rate), 'done', {
                label: t.undo,
                run: () => {
                    const back = is.falseRejectRate;
                    void (async () => {
                        if (!is.calibrated) await patch(category.name, { falseRejectRate: back });
                        await patch(category.name, before);
                        setRate(back);
                    })().catch(notifyFailure);
                },
            });
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
        }
    }

    return (
        <>
            <Loaded query={scores}>
                {all => (
                    <Loaded query={preview}>
                        {then => (
                            <>
                                <Panel>
                                    <Histogram scores={divide(all)} now={then.threshold} then={then.proposedThreshold} />
                                    <RateSlider rate={rate} smallest={smallest} onChange={setRate} />
                                    <div class="row">
                                        <p class="rate-words grow" role="status">
                                            {t.threshold.rate(rate)}
                                        </p>
                                        <Button
                                            disabled={!changed}
                                            onClick={() => setRate(is.falseRejectRate)}
                                        >
                                            {t.threshold.reset}
                                        </Button>
                                        <Button
                                            kind="primary"
                                            large
                                            busy={busy}
                                            disabled={!changed}
                                            onClick={() => void apply()}
                                        >
                                            {t.threshold.apply}
                                        </Button>
                                    </div>
                                    {changed && <Reason value={reason} onChange={setReason} />}
                                    {!is.calibrated && <p class="banner review">{t.threshold.byHand}</p>}
                                    {rate < smallest && (
                                        <p class="banner review">{t.threshold.beyond(smallest)}</p>
                                    )}
                                </Panel>
                                <Effects
                                    category={category}
                                    source={source}
                                    scores={all}
                                    preview={then}
                                    onOpen={setOpened}
                                />
                                <Proposals category={category} is={is} />
                            </>
                        )}
                    </Loaded>
                )}
            </Loaded>
            {opened?.imageId && (
                <Dialog wide title={t.threshold.score(opened.score)} onClose={() => setOpened(undefined)}>
                    <div class="viewer">
                        <img src={imageAddress(source, opened.imageId)} alt={opened.caption ?? ''} />
                    </div>
                </Dialog>
            )}
        </>
    );
}

function Reason({ value, onChange }: { value: string; onChange: (value: string) => void }) {
    return (
        <Field label={t.threshold.reason} hint={t.threshold.reasonHint}>
            {ids => (
                <input
                    {...ids}
                    type="text"
                    maxLength={200}
                    value={value}
                    onInput={event => onChange(event.currentTarget.value)}
                />
            )}
        </Field>
    );
}

/** What thresholds would do with the parts that are known, defects and verdicts included. */
function Proposals({ category, is }: { category: CategoryResponse; is: ThresholdResponse }) {
    const proposal = useQuery({
        queryKey: ['threshold-proposal', category.name, is.modelVersion, is.threshold],
        placeholderData: keepPreviousData,
        queryFn: () =>
            must(
                api.GET('/v1/categories/{category}/threshold/proposal', {
                    params: { path: { category: category.name } },
                }),
            ),
    });

    async function set(threshold: number) {
        const before: Change = { threshold: is.calibrated ? null : (is.threshold ?? null) };
        try {
            await patch(category.name, { threshold });
            notify(t.threshold.wasSet(threshold), 'done', {
                label: t.undo,
                run: () => void patch(category.name, before).catch(notifyFailure),
            });
        } catch (error) {
            notifyFailure(error);
        }
    }

    return (
        <Panel title={t.threshold.proposals}>
            <p class="muted">{t.threshold.proposalsDetail}</p>
            <Loaded query={proposal}>
                {({ candidates }) => (
                    <Table
                        label={t.threshold.proposals}
                        head={[
                            t.threshold.candidate,
                            t.threshold.why,
                            t.threshold.missed,
                            t.threshold.goodRejected,
                            t.models.actions,
                        ]}
                    >
                        {candidates.map(one => (
                            <tr key={one.threshold}>
                                <th scope="row" class="number">
                                    {one.threshold.toPrecision(4)}
                                </th>
                                <td class="wrap">{one.reasons.map(why => t.threshold.reasons[why]).join(', ')}</td>
                                <td class="number">
                                    {one.defects.known === 0
                                        ? t.threshold.notMeasured
                                        : t.threshold.of(one.defects.missed, one.defects.known)}
                                </td>
                                <td class="number">
                                    {t.threshold.of(one.goodParts.rejected, one.goodParts.known)}{' '}
                                    <span class="muted">
                                        {t.figures.between(one.goodParts.rejectedRate.low, one.goodParts.rejectedRate.high)}
                                    </span>
                                </td>
                                <td>
                                    {!one.reasons.includes('in-force') && (
                                        <Button
                                            label={t.threshold.setTo(one.threshold)}
                                            onClick={() => void set(one.threshold)}
                                        >
                                            {t.threshold.set}
                                        </Button>
                                    )}
                                </td>
                            </tr>
                        ))}
                    </Table>
                )}
            </Loaded>
        </Panel>
    );
}

/** From the smallest rate that the images can guarantee to a half, in equal ratios. */
function RateSlider(props: { rate: number; smallest: number; onChange: (rate: number) => void }) {
    const low = Math.min(props.smallest, props.rate);
    const ratio = MAX_RATE / low;
    return (
        <label class="slider">
            <span>{t.threshold.slider}</span>
            <input
                type="range"
                min={0}
                max={STEPS}
                value={Math.round((STEPS * Math.log(Math.max(low, props.rate) / low)) / Math.log(ratio))}
                aria-valuetext={t.threshold.rate(props.rate)}
                onInput={event => {
                    const rate = low * ratio ** (Number(event.currentTarget.value) / STEPS);
                    props.onChange(Number(rate.toPrecision(3)));
                }}
            />
            <span class="slider-ends muted">
                <span>{t.threshold.strict}</span>
                <span>{t.threshold.sensitive}</span>
            </span>
        </label>
    );
}

function Effects(props: {
    category: CategoryResponse;
    source: string;
    scores: readonly ThresholdScore[];
    preview: ThresholdPreview;
    onOpen: (image: StripImage) => void;
}) {
    const { preview, scores } = props;
    const flips = useMemo(() => {
        const between = (score: number, from: number, to: number) => score >= from && score < to;
        return {
            rejected: scores.filter(one => between(one.score, preview.proposedThreshold, preview.threshold)),
            passed: scores.filter(one => between(one.score, preview.threshold, preview.proposedThreshold)),
        };
    }, [scores, preview.threshold, preview.proposedThreshold]);
    const strip = (images: readonly ThresholdScore[]): StripImage[] =>
        images.map(image => ({
            imageId: image.imageId ?? null,
            score: image.score,
            caption: image.label === 'anomalous' ? (image.defect ?? t.images.defective) : undefined,
        }));
    return (
        <div class="panels">
            <Panel title={t.threshold.known}>
                <dl class="figures">
                    <div>
                        <dt>{t.threshold.goodRejected}</dt>
                        <dd>
                            {t.threshold.of(preview.normal.anomalousThen, preview.normal.images)}
                            <Delta now={preview.normal.anomalousNow} then={preview.normal.anomalousThen} />
                        </dd>
                    </div>
                    <div>
                        <dt>{t.threshold.badFound}</dt>
                        <dd>
                            {preview.anomalous.images === 0 ? (
                                <span class="muted">{t.threshold.notMeasured}</span>
                            ) : (
                                <>
                                    {t.threshold.of(preview.anomalous.anomalousThen, preview.anomalous.images)}
                                    <Delta now={preview.anomalous.anomalousNow} then={preview.anomalous.anomalousThen} />
                                </>
                            )}
                        </dd>
                    </div>
                </dl>
                {preview.anomalous.images === 0 && <EvaluateButton category={props.category} />}
            </Panel>
            <Panel title={t.threshold.flips(flips.rejected.length + flips.passed.length)}>
                {flips.rejected.length + flips.passed.length === 0 && <p class="muted">{t.threshold.noFlips}</p>}
                {flips.rejected.length > 0 && (
                    <>
                        <h3>{t.threshold.nowRejected}</h3>
                        <PictureStrip category={props.source} images={strip(flips.rejected)} onOpen={props.onOpen} />
                    </>
                )}
                {flips.passed.length > 0 && (
                    <>
                        <h3>{t.threshold.nowPassed}</h3>
                        <PictureStrip category={props.source} images={strip(flips.passed)} onOpen={props.onOpen} />
                    </>
                )}
            </Panel>
        </div>
    );
}

function Delta({ now, then }: { now: number; then: number }) {
    if (now === then) return null;
    return <span class="muted"> ({t.threshold.before(now)})</span>;
}

function History({ changes }: { changes: readonly ThresholdChangeResponse[] }) {
    return (
        <Panel title={t.threshold.history}>
            {changes.length === 0 ? (
                <p class="muted">{t.threshold.noHistory}</p>
            ) : (
                <Table
                    label={t.threshold.history}
                    head={[
                        t.system.when,
                        t.system.who,
                        t.threshold.changeTo,
                        t.threshold.reason,
                        t.system.version,
                    ]}
                >
                    {changes.map(change => (
                        <tr key={change.version}>
                            <td class="number">{t.time(change.at)}</td>
                            <td>{change.who}</td>
                            <th scope="row" class="number">
                                {change.threshold != null
                                    ? `${t.inspect.threshold} ${change.threshold.toPrecision(4)}`
                                    : t.threshold.rate(change.falseRejectRate)}
                            </th>
                            <td class="wrap">{change.reason}</td>
                            <td class="number">{change.modelVersion ?? ''}</td>
                        </tr>
                    ))}
                </Table>
            )}
        </Panel>
    );
}

function divide(scores: readonly ThresholdScore[]): { good: number[]; bad: number[] } {
    const of = (label: string) => scores.filter(one => one.label === label).map(one => one.score);
    return { good: of('normal'), bad: of('anomalous') };
}

async function patch(category: string, change: Change): Promise<void> {
    await must(
        api.PATCH('/v1/categories/{category}/threshold', {
            params: { path: { category } },
            body: change as never,
        }),
    );
    await Promise.all(
        ['threshold', 'category', 'threshold-preview'].map(key =>
            queries.invalidateQueries({ queryKey: [key, category] }),
        ),
    );
}

/** A value once it has rested for a moment. */
function useSettled<T>(value: T): T {
    const [settled, setSettled] = useState(value);
    useEffect(() => {
        const timer = setTimeout(() => setSettled(value), SETTLE_MS);
        return () => clearTimeout(timer);
    }, [value]);
    return settled;
}
