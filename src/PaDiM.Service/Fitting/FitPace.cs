using System.Collections.Concurrent;
using PaDiM.Core.Models;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;

namespace PaDiM.Service.Fitting;

/// <summary>
/// Records the pace of this process's fits per backbone and settings; the latest fit counts. Thread-safe.
/// </summary>
internal sealed class FitPace(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Backbone, FitSettings Settings), Pace> _paces = new();

    /// <summary>Estimates the seconds of a fit; null until a fit with the same settings was measured.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="settings">What to compute.</param>
    /// <param name="images">The number of images.</param>
    /// <param name="embedded">The number of images that have no embedding yet.</param>
    public double? Estimate(Backbone backbone, FitSettings settings, int images, int embedded)
    {
        if (!_paces.TryGetValue((backbone.Identity.Sha256, settings), out var pace))
            return null;
        // An update without new images says nothing about embedding.
        if (embedded > 0 && pace.EmbeddingPerImage is null)
            return null;
        return embedded * (pace.EmbeddingPerImage ?? 0) + pace.Factorising + images * pace.CalibratingPerImage;
    }

    /// <summary>Starts to measure a fit.</summary>
    public Watch Start(FitPlan plan) =>
        new(this, time, (plan.Backbone.Identity.Sha256, plan.Settings), plan.Images.Count, plan.Missing);

    private sealed record Pace(double? EmbeddingPerImage, double Factorising, double CalibratingPerImage);

    /// <summary>Measures one fit. Used by one thread at a time.</summary>
    internal sealed class Watch(
        FitPace owner,
        TimeProvider time,
        (string Backbone, FitSettings Settings) key,
        int images,
        int embedded
    )
    {
        private readonly long _began = time.GetTimestamp();
        private long? _factorising,
            _calibrating;

        /// <summary>Records that a stage has started or continues.</summary>
        public void Record(FitStage stage)
        {
            if (stage == FitStage.Factorising)
                _factorising ??= time.GetTimestamp();
            if (stage == FitStage.Calibrating)
                _calibrating ??= time.GetTimestamp();
        }

        /// <summary>Ends the measurement and keeps the pace.</summary>
        public void Complete()
        {
            if (_factorising is not { } second || _calibrating is not { } third)
                return;
            var embedding = embedded > 0 ? time.GetElapsedTime(_began, second).TotalSeconds / embedded : (double?)null;
            var rest = time.GetElapsedTime(second, third).TotalSeconds;
            var each = time.GetElapsedTime(third).TotalSeconds / images;
            owner._paces.AddOrUpdate(
                key,
                new Pace(embedding, rest, each),
                (_, earlier) => new Pace(embedding ?? earlier.EmbeddingPerImage, rest, each)
            );
        }
    }
}
