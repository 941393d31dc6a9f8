using System.Diagnostics;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Load;

/// <summary>
/// What decoding and the backbone alone would allow: nothing is resized, scored or sent. Two ways of using all cores: a
/// thread a core, each with a session of one thread; and one session on all threads over batches of eight, the next
/// eight being decoded meanwhile.
/// </summary>
internal sealed class IdealThroughput : IDisposable
{
    private const int Batch = 8;

    private readonly Workbench _workbench;
    private readonly byte[] _image;
    private readonly Backbone _singleThreaded;
    private readonly RawBackbone[] _sessionPerCore;
    private readonly RawBackbone _shared;
    private readonly float[] _prepared;

    public IdealThroughput(Workbench workbench, string name, byte[] image)
    {
        _workbench = workbench;
        _image = image;
        _singleThreaded = Backbone.Load(
            workbench.Registry.Directories.Find(name)!,
            BackboneRuntime.Create(DevicePreference.Cpu, 1)
        );
        _sessionPerCore = [.. Enumerable.Range(0, workbench.ThreadCount).Select(_ => new RawBackbone(_singleThreaded))];
        _shared = new RawBackbone(workbench.Open(name));
        _prepared = new float[Batch * 3 * new FitSettings().PreparedSize().Positions];
        var random = new Random(1);
        foreach (ref var value in _prepared.AsSpan())
            value = 4 * random.NextSingle() - 2;
    }

    /// <summary>A thread a core, each on its own. Images done and seconds taken.</summary>
    public (int Images, double Seconds) RunSessionPerCore(TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        var done = 0;
        var threads = _sessionPerCore
            .Select(session => new Thread(() =>
            {
                while (clock.Elapsed < duration)
                {
                    _workbench.Decode(_image);
                    session.Run(_prepared, 1, new FitSettings().PreparedSize());
                    Interlocked.Increment(ref done);
                }
            }))
            .ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return (done, clock.Elapsed.TotalSeconds);
    }

    /// <summary>One session over batches, decoding beside it.</summary>
    public (int Images, double Seconds) RunBatches(TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        var done = 0;
        var next = DecodeAsync();
        while (clock.Elapsed < duration)
        {
            next.Wait();
            next = DecodeAsync();
            _shared.Run(_prepared, Batch, new FitSettings().PreparedSize());
            done += Batch;
        }
        next.Wait();
        return (done, clock.Elapsed.TotalSeconds);
    }

    public void Dispose()
    {
        foreach (var session in _sessionPerCore)
            session.Dispose();
        _shared.Dispose();
        _singleThreaded.Dispose();
    }

    private Task<ParallelLoopResult> DecodeAsync() =>
        Task.Run(() =>
            Parallel.For(
                0,
                Batch,
                new ParallelOptions { MaxDegreeOfParallelism = _workbench.ThreadCount },
                _ => _workbench.Decode(_image)
            )
        );
}
