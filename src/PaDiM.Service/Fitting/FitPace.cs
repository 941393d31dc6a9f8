using System.Collections.Concurrent;
using PaDiM.Core.Models;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;

namespace PaDiM.Service.Fitting;

/// <summary>
/// How fast fits of this process went, for each backbone and settings: the last one counts. Thread-safe.
/// </summary>
internal sealed class FitPace(TimeProvider time)
{
    private readonly ConcurrentDictionary<(string Backbone, FitSettings Settings), Pace> _paces = new();

    /// <summary>Seconds of a fit; null before one with its settings was measured.</summary>
    /// <param name="backbone">The network.</param>
    /// <param name="settings">What is computed.</param>
    /// <param name="images">Images of the fit.</param>
    /// <param name="embedded">Those of them that are still to be embedded.</param>
    public double? Estimate(Backbone backbone, FitSettings settings, int images, int embedded)
    {
        if (!_paces.TryGetValue((backbone.Identity.Sha256, settings), out var pace))
            return null;
        // An update that had nothing to embed says nothing about embedding.
        if (embedded > 0 && pace.EmbeddingAnImage is null)
            return null;
        return embedded * (pace.EmbeddingAnImage ?? 0) + pace.Factorising + images * pace.CalibratingAnImage;
    }

    /// <summary>Starts to measure a fit.</summary>
    public Watch Begin(Backbone backbone, FitSettings settings, int images, int embedded) =>
        new(this, time, (backbone.Identity.Sha256, settings), images, embedded);

    private sealed record Pace(double? EmbeddingAnImage, double Factorising, double CalibratingAnImage);

    /// <summary>One fit under way. Used by one thread at a time.</summary>
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

        /// <summary>Tells what is being done now.</summary>
        public void See(FitStage stage)
        {
            if (stage == FitStage.Factorising)
                _factorising ??= time.GetTimestamp();
            if (stage == FitStage.Calibrating)
                _calibrating ??= time.GetTimestamp();
        }

        /// <summary>The fit has come to its end.</summary>
        public void Done()
        {
            if (_factorising is not { } second || _calibrating is not { } third)
                return;
            var embedding = embedded > 0 ? time.GetElapsedTime(_began, second).TotalSeconds / embedded : (double?)null;
            var rest = time.GetElapsedTime(second, third).TotalSeconds;
            var each = time.GetElapsedTime(third).TotalSeconds / images;
            owner._paces.AddOrUpdate(
                key,
                new Pace(embedding, rest, each),
                (_, earlier) => new Pace(embedding ?? earlier.EmbeddingAnImage, rest, each)
            );
        }
    }
}
