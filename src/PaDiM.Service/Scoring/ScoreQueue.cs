using Microsoft.Extensions.Options;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Scoring;

/// <summary>
/// Bounds how many images are under way. A request that finds no place is refused at once, so that a line that is too fast learns it from an answer and
/// not from a time-out; the images of a batch, once begun, wait for places instead, and all batches together hold no more than half of them. A place is taken when
/// the bytes are there: slow senders hold none.
/// </summary>
internal sealed class ScoreQueue(IOptions<PadimOptions> options) : IDisposable
{
    private readonly SemaphoreSlim places = new(options.Value.QueueCapacity), ofBatches = new(Math.Max(1, options.Value.QueueCapacity / 2));

    private long refusals;

    /// <summary>Images under way.</summary>
    public int UnderWay => options.Value.QueueCapacity - places.CurrentCount;

    /// <summary>Requests that found no place since the start.</summary>
    public long Refusals => Interlocked.Read(ref refusals);

    /// <summary>All places are taken.</summary>
    public bool IsFull => places.CurrentCount == 0;

    /// <summary>A place, given back when disposed; null when all are taken.</summary>
    public IDisposable? TryEnter() => places.Wait(0) ? new Place(places) : null;

    /// <summary>The answer to a request that finds no place.</summary>
    public Problem Refuse()
    {
        Interlocked.Increment(ref refusals);
        return Problems.QueueFull("images to score");
    }

    /// <summary>A place for an image of a batch, as soon as there is one.</summary>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellationToken)
    {
        await ofBatches.WaitAsync(cancellationToken);
        try
        {
            await places.WaitAsync(cancellationToken);
        }
        catch
        {
            ofBatches.Release();
            throw;
        }
        return new Place(places, ofBatches);
    }

    public void Dispose()
    {
        places.Dispose();
        ofBatches.Dispose();
    }
}
