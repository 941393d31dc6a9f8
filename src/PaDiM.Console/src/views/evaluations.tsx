import { useQuery } from '@tanstack/preact-query';
import { useState } from 'preact/hooks';
import { Button, Dialog, Field, Loaded, Panel, Table } from '../components/basics';
import { Curve } from '../components/curve';
import { PictureStrip, type StripImage } from '../components/picture-strip';
import {
    api,
    must,
    ownPage,
    readAll,
    type CategoryResponse,
    type EvaluatedImage,
    type EvaluationResponse,
} from '../data/api';
import { imageAddress } from '../data/address';
import { precisionOf, rocOf } from '../data/curves';
import { addJob, isOver, useJobEvents, useJobs } from '../data/jobs';
import { notifyFailure } from '../data/notices';
import { useRights } from '../data/session';
import { t } from '../texts';
import { cancel, JobProgress } from './jobs';

const useEvaluations = (category: string) =>
    useQuery({
        queryKey: ['evaluations', category],
        queryFn: () =>
            must(
                api.GET('/v1/categories/{category}/evaluations', {
                    params: { path: { category }, query: { limit: 100 } },
                }),
            ),
    });

const useEvaluatedImages = (id: string | undefined) =>
    useQuery({
        queryKey: ['evaluated-images', id],
        enabled: id !== undefined,
        staleTime: Infinity,
        queryFn: () =>
            readAll(cursor =>
                must(
                    api.GET('/v1/evaluations/{id}/images', {
                        params: { path: { id: id! }, query: { limit: 1000, cursor } },
                    }),
                ),
            ),
    });

/** Starts an evaluation and follows it. */
export function EvaluateButton({ category, version }: { category: CategoryResponse; version?: number }) {
    const { may } = useRights();
    const { data: jobs } = useJobs(category.name, may('train'));
    const [busy, setBusy] = useState(false);
    const running = jobs?.find(job => job.kind === 'evaluation' && !isOver(job));
    useJobEvents(running);
    if (!may('train')) return null;
    if (running)
        return (
            <div class="fit-running">
                <JobProgress job={running} />
                <Button icon="stop" onClick={() => void cancel(running)}>
                    {t.jobs.cancel}
                </Button>
            </div>
        );

    async function start() {
        setBusy(true);
        try {
            const job = await must(
                api.POST('/v1/categories/{category}/evaluations', {
                    params: { path: { category: category.name } },
                    headers: ownPage,
                    body: version === undefined ? {} : { model: version },
                }),
            );
            await addJob(job);
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
        }
    }

    return (
        <div class="row">
            <Button
                busy={busy}
                disabled={category.images.anomalous === 0 || category.activeModelVersion == null}
                onClick={() => void start()}
            >
                {t.evaluation.start}
            </Button>
            {category.images.anomalous === 0 && <span class="muted">{t.evaluation.needsDefects}</span>}
        </div>
    );
}

/** What each version finds and misses, and two of them side by side. */
export function Evaluations({ category }: { category: CategoryResponse }) {
    const evaluations = useEvaluations(category.name);
    const [chosen, setChosen] = useState<string>();
    const [other, setOther] = useState<string>();
    return (
        <Panel title={t.evaluation.title} actions={<EvaluateButton category={category} />}>
            <Loaded query={evaluations}>
                {({ items }) => {
                    if (items.length === 0) return <p class="muted">{t.evaluation.empty}</p>;
                    const shown = items.find(one => one.id === chosen) ?? items[0]!;
                    const compared = items.find(one => one.id === other && one.id !== shown.id);
                    return (
                        <div class="stack">
                            <div class="upload-kind">
                                <Choice label={t.evaluation.which} items={items} value={shown.id} onChange={setChosen} />
                                {items.length > 1 && (
                                    <Choice
                                        label={t.evaluation.compare}
                                        items={items.filter(one => one.id !== shown.id)}
                                        value={compared?.id ?? ''}
                                        none
                                        onChange={setOther}
                                    />
                                )}
                            </div>
                            <Evaluation category={category} is={shown} other={compared} />
                        </div>
                    );
                }}
            </Loaded>
        </Panel>
    );
}

function Choice(props: {
    label: string;
    items: readonly EvaluationResponse[];
    value: string;
    none?: boolean;
    onChange: (id: string) => void;
}) {
    return (
        <Field label={props.label}>
            {ids => (
                <select {...ids} value={props.value} onChange={event => props.onChange(event.currentTarget.value)}>
                    {props.none && <option value="">{t.none}</option>}
                    {props.items.map(one => (
                        <option key={one.id} value={one.id}>
                            {t.jobs.version(one.modelVersion)}, {t.time(one.createdAt)}
                        </option>
                    ))}
                </select>
            )}
        </Field>
    );
}

function Evaluation(props: {
    category: CategoryResponse;
    is: EvaluationResponse;
    other: EvaluationResponse | undefined;
}) {
    const { is, other } = props;
    const images = useEvaluatedImages(is.id);
    const { data: otherImages } = useEvaluatedImages(other?.id);
    const name = (one: EvaluationResponse) => t.jobs.version(one.modelVersion);
    const { truePositives, falsePositives, trueNegatives, falseNegatives } = is.confusionAtThreshold;
    const mark = {
        x: falsePositives / Math.max(1, falsePositives + trueNegatives),
        y: truePositives / Math.max(1, truePositives + falseNegatives),
    };
    const curves = (make: (of: readonly EvaluatedImage[]) => { x: number; y: number }[]) => [
        { name: name(is), points: make(images.data ?? []) },
        ...(other && otherImages ? [{ name: name(other), points: make(otherImages) }] : []),
    ];
    return (
        <>
            <Table
                label={t.evaluation.figures}
                head={[t.evaluation.figures, name(is), ...(other ? [name(other)] : [])]}
            >
                {figures(is).map(([label, value], i) => (
                    <tr key={label}>
                        <th scope="row">{label}</th>
                        <td class="number">{value}</td>
                        {other && <td class="number">{figures(other)[i]?.[1]}</td>}
                    </tr>
                ))}
            </Table>
            <Loaded query={images}>
                {all => (
                    <>
                        <div class="curves">
                            <Curve
                                title={t.evaluation.roc}
                                x={t.evaluation.rejected}
                                y={t.evaluation.found}
                                curves={curves(rocOf)}
                                mark={mark}
                                label={t.evaluation.rocLabel(is.imageAuroc ?? 0)}
                            />
                            <Curve
                                title={t.evaluation.precision}
                                x={t.evaluation.found}
                                y={t.evaluation.right}
                                curves={curves(precisionOf)}
                                label={t.evaluation.precisionLabel(is.imageAp ?? 0)}
                            />
                        </div>
                        {other && (
                            <p class="legend">
                                <span class="key first">{name(is)}</span>
                                <span class="key second">{name(other)}</span>
                            </p>
                        )}
                        <WorstCases category={props.category} images={all} />
                    </>
                )}
            </Loaded>
            {is.perDefect.length > 0 && (
                <Table
                    label={t.evaluation.perDefect}
                    head={[t.upload.defect, t.evaluation.images, 'AUROC', 'AP', t.evaluation.pixelAuroc, 'AU-PRO']}
                >
                    {is.perDefect.map(defect => (
                        <tr key={defect.defect}>
                            <th scope="row">{defect.defect || t.images.defective}</th>
                            <td class="number">{t.number(defect.count)}</td>
                            <td class="number">{share(defect.imageAuroc)}</td>
                            <td class="number">{share(defect.imageAp)}</td>
                            <td class="number">{share(defect.pixelAuroc)}</td>
                            <td class="number">{share(defect.auPro)}</td>
                        </tr>
                    ))}
                </Table>
            )}
        </>
    );
}

function figures(is: EvaluationResponse): [string, string][] {
    const { truePositives, falsePositives, trueNegatives, falseNegatives } = is.confusionAtThreshold;
    return [
        [t.evaluation.foundOf, t.threshold.of(truePositives, truePositives + falseNegatives)],
        [t.evaluation.rejectedOf, t.threshold.of(falsePositives, falsePositives + trueNegatives)],
        [t.evaluation.imageAuroc, share(is.imageAuroc)],
        [t.evaluation.imageAp, share(is.imageAp)],
        [t.evaluation.pixelAuroc, share(is.pixelAuroc)],
        ['AU-PRO', share(is.auPro)],
    ];
}

const share = (value: number | null | undefined) => (value == null ? '–' : value.toFixed(3));

/** What the model gets wrong, or nearly so. */
function WorstCases({ category, images }: { category: CategoryResponse; images: readonly EvaluatedImage[] }) {
    const [opened, setOpened] = useState<StripImage>();
    const source = category.imagesOf ?? category.name;
    const strip = (of: readonly EvaluatedImage[]): StripImage[] =>
        of.slice(0, 12).map(image => ({
            imageId: image.imageId,
            score: image.score,
            caption: [image.defect, t.decision[image.decision]].filter(Boolean).join(' · '),
        }));
    const defective = images.filter(image => image.label === 'anomalous').sort((a, b) => a.score - b.score);
    const good = images.filter(image => image.label === 'normal').sort((a, b) => b.score - a.score);
    return (
        <>
            <h3>{t.evaluation.leastDefective}</h3>
            <PictureStrip category={source} images={strip(defective)} onOpen={setOpened} />
            <h3>{t.evaluation.mostUnusual}</h3>
            <PictureStrip category={source} images={strip(good)} onOpen={setOpened} />
            {opened?.imageId && (
                <Dialog
                    wide
                    title={`${t.threshold.score(opened.score)} · ${opened.caption ?? ''}`}
                    onClose={() => setOpened(undefined)}
                >
                    <div class="viewer">
                        <img src={imageAddress(source, opened.imageId)} alt={opened.caption ?? ''} />
                    </div>
                </Dialog>
            )}
        </>
    );
}
