using System.Diagnostics.Metrics;
using System.Net;
using PaDiM.Service.Diagnostics;

namespace PaDiM.Service.Objects;

/// <summary>Measures the requests to a bucket, and what became of the calls that made them.</summary>
internal sealed class S3Metrics
{
    private readonly Histogram<double> _requests;
    private long _away;
    private long _refused;

    /// <param name="meters">The meters of the service.</param>
    /// <param name="isUp">Gets whether the store responded last.</param>
    /// <param name="copies">The copies on this machine.</param>
    public S3Metrics(IMeterFactory meters, Func<bool> isUp, LocalCopies copies)
    {
        var meter = meters.Create(Instruments.Name);
        _requests = meter.CreateRequestHistogram(
            "padim.object_store.request.duration",
            "Time to the answer of one request to the object store, by method and by outcome: ok, absent, refused or "
                + "failed. Repeated requests count each time."
        );
        meter.CreateObservableCounter(
            "padim.object_store.failures",
            () =>
                new[]
                {
                    new Measurement<long>(Interlocked.Read(ref _away), Instruments.Tag("reason", "away")),
                    new Measurement<long>(Interlocked.Read(ref _refused), Instruments.Tag("reason", "refused")),
                },
            null,
            "Operations given up after all attempts, because the object store was away or refused them."
        );
        meter.CreateObservableGauge(
            "padim.object_store.up",
            () => isUp() ? 1 : 0,
            null,
            "1 if the object store responded last."
        );
        meter.CreateObservableGauge(
            "padim.object_store.copies",
            () => copies.Bytes,
            "By",
            "Disk space of the copies of models from the object store."
        );
    }

    /// <summary>Records a request.</summary>
    /// <param name="method">The method.</param>
    /// <param name="status">The status of the answer; null if there was none.</param>
    /// <param name="duration">Time to its head.</param>
    public void RecordRequest(HttpMethod method, HttpStatusCode? status, TimeSpan duration) =>
        _requests.Record(
            duration.TotalSeconds,
            Instruments.Tag("method", method.Method),
            Instruments.Tag("outcome", GetOutcome(status))
        );

    /// <summary>Records an operation that was given up.</summary>
    public void RecordFailure(bool isRefused) => Interlocked.Increment(ref isRefused ? ref _refused : ref _away);

    private static string GetOutcome(HttpStatusCode? status) =>
        (int?)status switch
        {
            null or >= 500 or 429 => "failed",
            < 400 => "ok",
            // What a look for an object and a conditional put are for.
            404 or 412 or 416 => "absent",
            _ => "refused",
        };
}
