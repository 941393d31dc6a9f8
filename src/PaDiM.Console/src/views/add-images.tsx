import { useMemo, useState } from 'preact/hooks';
import { Button, Dialog, Field, Progress, Table } from '../components/basics';
import { DropZone, useFilePicker } from '../components/drop-zone';
import { Icon } from '../components/icons';
import { useCamera } from '../data/camera';
import type { Picked } from '../data/files';
import { useStore } from '../data/store';
import { uploadsOf, type Target, type UploadQueue } from '../data/uploads';
import { t } from '../texts';

type Kind = 'good' | 'heldOut' | 'bad';

/** Adds images to a category: dropped, chosen, or taken with the camera. */
export function AddImages({ category, all }: { category: string; all?: boolean }) {
    const queue = uploadsOf(category);
    const [kind, setKind] = useState<Kind>('good');
    const [defect, setDefect] = useState('');
    const [camera, setCamera] = useState(false);
    const target = useMemo<Target>(
        () => ({ label: kind === 'bad' ? 'anomalous' : 'normal', heldOut: kind === 'heldOut', defect: defect.trim() }),
        [kind, defect],
    );
    const add = (picked: Picked) => queue.add(picked.images, target, picked.skipped);
    const files = useFilePicker(add, 'many');
    const folder = useFilePicker(add, 'folder');
    return (
        <div class="stack">
            {all && (
                <div class="upload-kind">
                    <Field label={t.upload.label}>
                        {ids => (
                            <select
                                {...ids}
                                value={kind}
                                onChange={event => setKind(event.currentTarget.value as Kind)}
                            >
                                <option value="good">{t.upload.good}</option>
                                <option value="heldOut">{t.upload.heldOut}</option>
                                <option value="bad">{t.upload.bad}</option>
                            </select>
                        )}
                    </Field>
                    {kind === 'bad' && (
                        <Field label={t.upload.defect} hint={t.upload.defectHint}>
                            {ids => (
                                <input
                                    {...ids}
                                    type="text"
                                    maxLength={64}
                                    value={defect}
                                    onInput={event => setDefect(event.currentTarget.value)}
                                />
                            )}
                        </Field>
                    )}
                </div>
            )}
            <DropZone onFiles={add} label={t.upload.drop}>
                <Icon name="upload" size={36} />
                <p class="drop-text">{t.upload.drop}</p>
                <div class="row center">
                    <Button icon="image" onClick={files.open}>
                        {t.upload.files}
                    </Button>
                    <Button icon="folder" onClick={folder.open}>
                        {t.upload.folder}
                    </Button>
                    <Button icon="camera" onClick={() => setCamera(true)}>
                        {t.upload.camera}
                    </Button>
                </div>
                {files.element}
                {folder.element}
            </DropZone>
            <UploadProgress queue={queue} />
            {camera && (
                <TakePictures
                    onClose={() => setCamera(false)}
                    onPicture={file => queue.add([file], target)}
                />
            )}
        </div>
    );
}

function UploadProgress({ queue }: { queue: UploadQueue }) {
    const is = useStore(queue.state);
    const [showing, setShowing] = useState(false);
    if (is.all === 0 && is.skipped === 0) return null;
    const facts = [
        !is.running && is.all > 0 && t.upload.finished(is.added),
        is.duplicates > 0 && t.upload.duplicates(is.duplicates),
        is.skipped > 0 && t.upload.skipped(is.skipped),
    ].filter(fact => fact !== false);
    return (
        <div class="upload-progress">
            {is.running && (
                <>
                    <Progress value={is.all > 0 ? is.done / is.all : 0} label={t.upload.progress(is.done, is.all)} />
                    <div class="row">
                        <span class="number grow">
                            {t.upload.progress(is.done, is.all)}
                            <span class="muted">
                                {is.paused
                                    ? ` · ${t.upload.paused}`
                                    : is.waiting
                                      ? ` · ${t.upload.waiting}`
                                      : is.perSecond > 0
                                        ? ` · ${t.upload.rate(is.perSecond)}`
                                        : ''}
                            </span>
                        </span>
                        {is.paused ? (
                            <Button icon="play" onClick={() => queue.resume()}>
                                {t.upload.resume}
                            </Button>
                        ) : (
                            <Button icon="pause" onClick={() => queue.pause()}>
                                {t.upload.pause}
                            </Button>
                        )}
                        <Button icon="stop" onClick={() => queue.stop()}>
                            {t.upload.stop}
                        </Button>
                    </div>
                </>
            )}
            <p role="status">{facts.join(' · ')}</p>
            {is.rejected.length > 0 && (
                <div class="banner bad">
                    <Icon name="warn" />
                    <span class="grow">{t.upload.refused(is.rejected.length)}</span>
                    <Button kind="quiet" onClick={() => setShowing(true)}>
                        {t.upload.showRefused}
                    </Button>
                </div>
            )}
            {showing && (
                <Dialog wide title={t.upload.refused(is.rejected.length)} onClose={() => setShowing(false)}>
                    <Table label={t.upload.showRefused} head={[t.upload.fileHeading, t.upload.whyHeading]}>
                        {is.rejected.map((file, i) => (
                            <tr key={i}>
                                <th scope="row">{file.fileName}</th>
                                <td class="wrap">{file.detail}</td>
                            </tr>
                        ))}
                    </Table>
                </Dialog>
            )}
        </div>
    );
}

function TakePictures({ onClose, onPicture }: { onClose: () => void; onPicture: (file: File) => void }) {
    const camera = useCamera();
    const [taken, setTaken] = useState(0);
    async function take() {
        const blob = await camera.take();
        if (!blob) return;
        const name = `camera-${new Date().toISOString().replace(/[:.]/g, '-')}.jpg`;
        onPicture(new File([blob], name, { type: blob.type }));
        setTaken(taken + 1);
    }
    return (
        <Dialog wide title={t.camera.title} onClose={onClose}>
            {camera.error ? (
                <p class="banner review">{camera.error}</p>
            ) : (
                <>
                    <CameraChoice camera={camera} />
                    <video ref={camera.video} class="camera" muted playsInline />
                    <div class="row">
                        <Button
                            kind="primary"
                            large
                            icon="camera"
                            disabled={!camera.ready}
                            onClick={() => void take()}
                        >
                            {t.camera.take}
                        </Button>
                        <span role="status">{taken > 0 && t.camera.taken(taken)}</span>
                    </div>
                </>
            )}
        </Dialog>
    );
}

export function CameraChoice({ camera }: { camera: ReturnType<typeof useCamera> }) {
    if (camera.cameras.length < 2) return null;
    return (
        <Field label={t.camera.choose}>
            {ids => (
                <select {...ids} value={camera.chosen} onChange={event => camera.choose(event.currentTarget.value)}>
                    {camera.cameras.map((one, i) => (
                        <option key={one.deviceId} value={one.deviceId}>
                            {one.label || `${t.camera.choose} ${i + 1}`}
                        </option>
                    ))}
                </select>
            )}
        </Field>
    );
}
