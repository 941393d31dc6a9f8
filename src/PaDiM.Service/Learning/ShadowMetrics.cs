using System.Diagnostics.Metrics;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Learning;

/// <summary>Instruments of candidates that score in the shadow.</summary>
internal sealed class ShadowMetrics
{
    private long _scored,
        _missed;

    public ShadowMetrics(IMeterFactory meters)
    {
        // Shown from the start, so that the first miss is an increase.
        var meter = meters.Create(Instruments.Name);
        meter.CreateObservableCounter(
            "padim.shadow.scored",
            () => Interlocked.Read(ref _scored),
            null,
            "Photographs that a candidate scored in the shadow of the active version."
        );
        meter.CreateObservableCounter(
            "padim.shadow.missed",
            () => Interlocked.Read(ref _missed),
            null,
            "Photographs that a candidate did not score: too many waited, or it could not be loaded or recorded."
        );
    }

    public void RecordScored(int images) => Interlocked.Add(ref _scored, images);

    public void RecordMissed(int images) => Interlocked.Add(ref _missed, images);
}
