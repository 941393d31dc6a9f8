using Microsoft.Extensions.Options;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Bounds how many images are under way. A request that finds no place is refused at once, so that a line that is too
/// fast learns it from an answer and not from a time-out; the images of a batch, once begun, wait for places instead,
/// and all batches together hold no more than half of them. A place is taken when the bytes are there: slow senders
/// hold none.
/// </summary>
internal sealed class ScoreQueue(IOptions<AdmissionOptions> options) : IDisposable
{
    private readonly SemaphoreSlim _places = new(options.Value.QueueCapacity),
        _ofBatches = new(Math.Max(1, options.Value.QueueCapacity / 2));

    private long _refusals;

    /// <summary>Images under way.</summary>
    public int UnderWay => options.Value.QueueCapacity - _places.CurrentCount;

    /// <summary>Requests that found no place since the start.</summary>
    public long Refusals => Interlocked.Read(ref _refusals);

    /// <summary>All places are taken.</summary>
    public bool IsFull => _places.CurrentCount == 0;

    /// <summary>A place, given back when disposed; null when all are taken.</summary>
    public IDisposable? TryEnter() => _places.Wait(0) ? new Place(_places) : null;

    /// <summary>The answer to a request that finds no place.</summary>
    public Problem Refuse()
    {
        Interlocked.Increment(ref _refusals);
        return Problems.QueueFull("images are being scored");
    }

    /// <summary>A place for an image of a batch, as soon as there is one.</summary>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await _ofBatches.WaitAsync(cancellationToken);
        try
        {
            await _places.WaitAsync(cancellationToken);
        }
        catch
        {
            _ofBatches.Release();
            throw;
        }
        return new Place(_places, _ofBatches);
    }

    public void Dispose()
    {
        _places.Dispose();
        _ofBatches.Dispose();
    }
}
