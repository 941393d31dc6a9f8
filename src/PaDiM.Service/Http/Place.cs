namespace PaDiM.Service.Http;

/// <summary>A place where there is a limited number of them, given back when disposed.</summary>
/// <param name="taken">What it takes a place of.</param>
internal sealed class Place(params SemaphoreSlim[] taken) : IDisposable
{
    public void Dispose() => Array.ForEach(taken, one => one.Release());
}
