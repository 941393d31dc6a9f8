import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../texts';

export interface Camera {
    video: preact.RefObject<HTMLVideoElement>;
    cameras: readonly MediaDeviceInfo[];
    chosen: string | undefined;
    choose: (id: string) => void;
    ready: boolean;
    error: string | undefined;
    /** Takes what the camera shows now. */
    take: () => Promise<Blob | undefined>;
}

/** A camera of this machine, on while the component is on the page. */
export function useCamera(): Camera {
    const video = useRef<HTMLVideoElement>(null);
    const [cameras, setCameras] = useState<readonly MediaDeviceInfo[]>([]);
    const [chosen, choose] = useState<string>();
    const [error, setError] = useState<string>();
    const [ready, setReady] = useState(false);

    useEffect(() => {
        let stream: MediaStream | undefined;
        let gone = false;
        setReady(false);
        void open();
        return () => {
            gone = true;
            for (const track of stream?.getTracks() ?? []) track.stop();
        };

        async function open() {
            if (!navigator.mediaDevices) return setError(t.camera.none);
            try {
                stream = await navigator.mediaDevices.getUserMedia({
                    video: {
                        width: { ideal: 1280 },
                        height: { ideal: 720 },
                        ...(chosen ? { deviceId: { exact: chosen } } : { facingMode: 'environment' }),
                    },
                });
                if (gone) {
                    for (const track of stream.getTracks()) track.stop();
                    return;
                }
                setError(undefined);
                setCameras((await navigator.mediaDevices.enumerateDevices()).filter(one => one.kind === 'videoinput'));
                if (!video.current) return;
                video.current.srcObject = stream;
                await video.current.play();
                setReady(true);
            } catch (failure) {
                if (gone) return;
                const name = failure instanceof DOMException ? failure.name : '';
                setError(name === 'NotAllowedError' ? t.camera.denied : t.camera.absent);
            }
        }
    }, [chosen]);

    async function take(): Promise<Blob | undefined> {
        const shown = video.current;
        if (!shown || shown.videoWidth === 0) return undefined;
        const canvas = new OffscreenCanvas(shown.videoWidth, shown.videoHeight);
        canvas.getContext('2d')!.drawImage(shown, 0, 0);
        return canvas.convertToBlob({ type: 'image/jpeg', quality: 0.95 });
    }

    return { video, cameras, chosen, choose, ready, error, take };
}
