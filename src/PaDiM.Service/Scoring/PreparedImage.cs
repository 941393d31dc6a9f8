using System.Buffers;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Scoring;
using PaDiM.Engine.Scoring;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>Represents an image that is ready for the backbones of all models that score it.</summary>
/// <param name="Inputs">What each model scores.</param>
/// <param name="Size">Rows and columns, upright.</param>
/// <param name="Pixels">The pixels, at the size of the file; null if they are not needed, or were scaled.</param>
internal sealed record PreparedImage(PreparedInput[] Inputs, Grid Size, RgbImage? Pixels) : IDisposable
{
    /// <summary>Gets whether a model scores the image tile by tile, for which the decoded image is needed.</summary>
    public bool HasTiles => Inputs.Any(input => input.Tiles is not null);

    /// <summary>Measures inputs whose tiles have all been scored, and lets go of the decoded image.</summary>
    public void FinishTiles()
    {
        for (var i = 0; i < Inputs.Length; i++)
            Inputs[i] = Inputs[i].FinishTiles();
    }

    /// <summary>Gives the inputs back to the pool they were rented from.</summary>
    public void Dispose()
    {
        foreach (var input in Inputs)
            input.Dispose();
    }
}

/// <summary>Represents what one model scores of an image.</summary>
/// <param name="Model">The snapshot of the model.</param>
/// <param name="Values">Shape <c>(3, h, w)</c>, rented; empty for an image that is prepared tile by tile.</param>
/// <param name="Placement">How the part lies in the image.</param>
/// <param name="Mapper">Leads from what the model scores to the pixels of the image.</param>
/// <param name="Warnings">What is unusual about the image; with tiles, known once all have been scored.</param>
internal sealed record PreparedInput(
    CategoryModel Model,
    float[] Values,
    RigidTransform Placement,
    OriginalMapper Mapper,
    IReadOnlyList<InputWarning> Warnings
) : IDisposable
{
    /// <summary>Gets the image that is prepared tile by tile; null for one that is prepared as a whole.</summary>
    public TiledImage? Tiles { get; init; }

    /// <summary>Gets what the tiles are cut from; null for an image that is prepared as a whole.</summary>
    public DecodeResult.Decoded? Decoded { get; init; }

    /// <summary>Gets the input with its warnings and without its tiles, all of which have been scored.</summary>
    public PreparedInput FinishTiles()
    {
        if (Tiles is null)
            return this;
        var warnings = InputChecker.Check(Model.Scorer.Model, Decoded!, Tiles.Measure());
        Dispose();
        return this with { Warnings = warnings, Tiles = null, Decoded = null };
    }

    public void Dispose()
    {
        Tiles?.Dispose();
        if (Values.Length > 0)
            ArrayPool<float>.Shared.Return(Values);
    }
}
