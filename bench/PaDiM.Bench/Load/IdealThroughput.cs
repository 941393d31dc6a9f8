using System.Diagnostics;
using PaDiM.Core.Models;
using PaDiM.Engine.Inference;

namespace PaDiM.Bench.Load;

/// <summary>
/// Measures the throughput of decoding and the backbone alone: nothing is resized, scored or sent. It uses all cores in
/// two ways: one thread per core, each with a single-threaded session; and one session on all threads over batches of
/// eight, while the next eight images are decoded.
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
        _prepared = new float[Batch * 3 * new FitSettings().GetPreparedSize().Positions];
        var random = new Random(1);
        foreach (ref var value in _prepared.AsSpan())
            value = 4 * random.NextSingle() - 2;
    }

    /// <summary>Runs one single-threaded session per core. Returns the images and the seconds.</summary>
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
                    session.Run(_prepared, 1, new FitSettings().GetPreparedSize());
                    Interlocked.Increment(ref done);
                }
            }))
            .ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return (done, clock.Elapsed.TotalSeconds);
    }

    /// <summary>Runs one session over batches, with decoding beside it. Returns the images and the seconds.</summary>
    public (int Images, double Seconds) RunBatches(TimeSpan duration)
    {
        var clock = Stopwatch.StartNew();
        var done = 0;
        var next = DecodeAsync();
        while (clock.Elapsed < duration)
        {
            next.Wait();
            next = DecodeAsync();
            _shared.Run(_prepared, Batch, new FitSettings().GetPreparedSize());
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
