namespace PaDiM.Service.Images;

/// <summary>Lets as many images be decoded or drawn at a time as there are cores: each takes a core and, for a large image, hundreds of megabytes.</summary>
internal sealed class DecodingGate : IDisposable
{
    private readonly SemaphoreSlim permits = new(Environment.ProcessorCount, Environment.ProcessorCount);

    /// <summary>Runs work when its turn comes.</summary>
    public async Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        await permits.WaitAsync(cancellationToken);
        try
        {
            return work();
        }
        finally
        {
            permits.Release();
        }
    }

    public void Dispose() => permits.Dispose();
}
