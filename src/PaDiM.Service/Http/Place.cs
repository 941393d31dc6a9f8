namespace PaDiM.Service.Http;

/// <summary>A place in a semaphore, released on disposal.</summary>
/// <param name="taken">The semaphores to release.</param>
internal sealed class Place(params SemaphoreSlim[] taken) : IDisposable
{
    public void Dispose() => Array.ForEach(taken, one => one.Release());
}
