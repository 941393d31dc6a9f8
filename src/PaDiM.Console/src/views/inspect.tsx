import { useEffect, useRef, useState } from 'preact/hooks';
import { Badge, Button } from '../components/basics';
import { DropZone, useFilePicker } from '../components/drop-zone';
import { Icon } from '../components/icons';
import { Stage, type StageOptions } from '../components/stage';
import type { CategoryResponse } from '../data/api';
import { useCamera } from '../data/camera';
import { notifyFailure } from '../data/notices';
import { useModels } from '../data/queries';
import { score, type Scored } from '../data/scoring';
import { useRights } from '../data/session';
import { uploadsOf } from '../data/uploads';
import { t } from '../texts';
import { CameraChoice } from './add-images';
import { inWords, tones, Verdict } from './verdict';

const KEPT = 12;

/** Shows what the model thinks of a picture: dropped, chosen or filmed. */
export function Inspect({ category }: { category: CategoryResponse }) {
    const [shown, setShown] = useState<Scored>();
    const [history, setHistory] = useState<readonly Scored[]>([]);
    const [busy, setBusy] = useState(false);
    const [filming, setFilming] = useState(false);
    const [options, setOptions] = useState<StageOptions>({ opacity: 0.8, contours: true, numbers: true });

    async function inspect(files: readonly File[]) {
        setFilming(false);
        setBusy(true);
        try {
            for (const file of files) {
                const next = await score(category.name, file, file.name);
                setShown(next);
                setHistory(before => [next, ...before].slice(0, KEPT));
            }
        } catch (error) {
            notifyFailure(error);
        } finally {
            setBusy(false);
        }
    }

    const picker = useFilePicker(picked => void inspect(picked.images), 'many');
    return (
        <div class="inspect">
            <DropZone class="inspect-zone" label={t.inspect.drop} onFiles={picked => void inspect(picked.images)}>
                {filming ? (
                    <Live category={category.name} options={options} onScored={setShown} />
                ) : shown ? (
                    <div class="stage">
                        <Stage
                            picture={{ image: shown.image, heatmap: shown.heatmap, regions: shown.result.regions }}
                            options={options}
                            label={t.inspect.picture(
                                shown.name,
                                t.decision[shown.result.decision],
                                shown.result.regions.length,
                            )}
                        />
                    </div>
                ) : (
                    <div class="inspect-invite">
                        <Icon name="image" size={44} />
                        <p class="drop-text">{t.inspect.drop}</p>
                    </div>
                )}
                <div class="row center inspect-actions">
                    <Button kind={shown ? 'plain' : 'primary'} large icon="image" busy={busy} onClick={picker.open}>
                        {shown ? t.inspect.another : t.inspect.choose}
                    </Button>
                    <Button large icon="camera" pressed={filming} onClick={() => setFilming(!filming)}>
                        {filming ? t.camera.stop : t.inspect.camera}
                    </Button>
                </div>
                {picker.element}
            </DropZone>
            <aside class="inspect-side" aria-label={t.inspect.title}>
                <div role="status" aria-live="polite">
                    {shown ? <Verdict result={shown.result} /> : <p class="muted">{t.inspect.waiting}</p>}
                </div>
                {shown && <Findings category={category} shown={shown} filming={filming} />}
                {shown && <Controls options={options} onChange={setOptions} />}
                {history.length > 1 && !filming && (
                    <History items={history} shown={shown} onShow={setShown} />
                )}
            </aside>
        </div>
    );
}

function Findings({ category, shown, filming }: { category: CategoryResponse; shown: Scored; filming: boolean }) {
    const { result } = shown;
    const { data: models } = useModels(category.name);
    const { may } = useRights();
    const [kept, setKept] = useState<Scored>();
    const images = models?.find(model => model.version === result.modelVersion)?.imageCount;
    const keep = (label: 'normal' | 'anomalous') => {
        uploadsOf(category.name).add([new File([shown.blob], shown.name, { type: shown.blob.type })], {
            label,
            heldOut: false,
            defect: '',
        });
        setKept(shown);
    };
    return (
        <>
            <p class="in-words">{inWords(result.pValue, images)}</p>
            <Gauge ratio={result.scoreRatio ?? 0} />
            {result.fallback && <p class="banner review">{t.inspect.fallback}</p>}
            {result.warnings.length > 0 && (
                <div class="banner review column">
                    <strong>{t.inspect.warnings}</strong>
                    {result.warnings.map(warning => (
                        <span key={warning.code}>{warning.detail}</span>
                    ))}
                </div>
            )}
            {result.regions.length > 0 && (
                <ol class="regions">
                    {result.regions.slice(0, 6).map((region, i) => (
                        <li key={i}>{t.inspect.region(i + 1, region.width, region.height)}</li>
                    ))}
                    <li class="muted">{t.inspect.area(result.defectAreaPercent)}</li>
                </ol>
            )}
            <p class="muted number">
                {t.inspect.score} {result.score.toPrecision(4)} · {t.inspect.threshold}{' '}
                {result.threshold.toPrecision(4)} · {t.inspect.time(result.timingsMs.total)} ·{' '}
                {t.inspect.version(result.modelVersion)}
            </p>
            {may('train') && !filming && !category.imagesOf && (
                <div class="row">
                    {kept === shown ? (
                        <span role="status">{t.inspect.kept}</span>
                    ) : (
                        <>
                            <Button onClick={() => keep('normal')}>{t.inspect.keepGood}</Button>
                            <Button onClick={() => keep('anomalous')}>{t.inspect.keepBad}</Button>
                        </>
                    )}
                </div>
            )}
        </>
    );
}

/** The score as a share of the threshold; the mark is the threshold. */
export function Gauge({ ratio }: { ratio: number }) {
    const end = Math.max(2, ratio);
    return (
        <figure class="gauge">
            <div class="gauge-bar">
                <div class={ratio >= 1 ? 'gauge-value over' : 'gauge-value'} style={{ width: `${(100 * ratio) / end}%` }} />
                <div class="gauge-mark" style={{ left: `${100 / end}%` }} />
            </div>
            <figcaption class="muted number">{t.inspect.ofThreshold(ratio)}</figcaption>
        </figure>
    );
}

export function Controls({ options, onChange }: { options: StageOptions; onChange: (options: StageOptions) => void }) {
    return (
        <div class="controls">
            <label class="slider">
                <span>{t.inspect.overlay}</span>
                <input
                    type="range"
                    min={0}
                    max={100}
                    value={Math.round(options.opacity * 100)}
                    onInput={event => onChange({ ...options, opacity: Number(event.currentTarget.value) / 100 })}
                />
            </label>
            <label class="check">
                <input
                    type="checkbox"
                    checked={options.contours}
                    onChange={event => onChange({ ...options, contours: event.currentTarget.checked })}
                />
                {t.inspect.contours}
            </label>
            <label class="check">
                <input
                    type="checkbox"
                    checked={options.numbers}
                    onChange={event => onChange({ ...options, numbers: event.currentTarget.checked })}
                />
                {t.inspect.regions}
            </label>
        </div>
    );
}

function History(props: { items: readonly Scored[]; shown: Scored | undefined; onShow: (item: Scored) => void }) {
    return (
        <section class="history">
            <h3>{t.inspect.history}</h3>
            <ul>
                {props.items.map((item, i) => (
                    <li key={i}>
                        <button
                            type="button"
                            class="history-item"
                            aria-pressed={item === props.shown}
                            onClick={() => props.onShow(item)}
                        >
                            <span class="ellipsis">{item.name}</span>
                            <Badge tone={tones[item.result.decision]}>{t.decision[item.result.decision]}</Badge>
                        </button>
                    </li>
                ))}
            </ul>
        </section>
    );
}

/** Scores what the camera shows, again and again: the next picture is taken when the last one is scored. */
function Live(props: { category: string; options: StageOptions; onScored: (scored: Scored) => void }) {
    const camera = useCamera();
    const [last, setLast] = useState<Scored>();
    const [held, setHeld] = useState(false);
    const [perSecond, setPerSecond] = useState(0);
    const take = useRef(camera.take);
    take.current = camera.take;

    useEffect(() => {
        if (!camera.ready || held) return;
        const stop = new AbortController();
        void run(stop.signal);
        return () => stop.abort();

        async function run(signal: AbortSignal) {
            let pace = 0;
            while (!signal.aborted) {
                const began = performance.now();
                try {
                    const blob = await take.current();
                    if (blob) {
                        const next = await score(props.category, blob, t.camera.live, undefined, signal);
                        if (signal.aborted) return;
                        setLast(next);
                        props.onScored(next);
                        const rate = 1000 / Math.max(1, performance.now() - began);
                        pace = pace === 0 ? rate : 0.8 * pace + 0.2 * rate;
                        setPerSecond(pace);
                        continue;
                    }
                } catch (error) {
                    if (signal.aborted) return;
                    notifyFailure(error);
                }
                await new Promise(resolve => setTimeout(resolve, 1000));
            }
        }
    }, [camera.ready, held, props.category]);

    if (camera.error) return <p class="banner review">{camera.error}</p>;
    return (
        <>
            <CameraChoice camera={camera} />
            <div class="stage">
                <video ref={camera.video} class={last ? 'camera behind' : 'camera'} muted playsInline />
                {last && (
                    <Stage
                        picture={{ image: last.image, heatmap: last.heatmap, regions: last.result.regions }}
                        options={props.options}
                        label={t.camera.live}
                    />
                )}
            </div>
            <div class="row center">
                <Button icon={held ? 'play' : 'pause'} pressed={held} onClick={() => setHeld(!held)}>
                    {t.camera.freeze}
                </Button>
                <span class="muted number">{perSecond > 0 && t.camera.perSecond(perSecond)}</span>
            </div>
        </>
    );
}
