using System.Buffers;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Imaging;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>Represents an image that is ready for the backbones of all models that score it.</summary>
/// <param name="Inputs">What each model scores.</param>
/// <param name="Size">Rows and columns, upright.</param>
/// <param name="Pixels">The pixels, at the size of the file; null if they are not needed, or were scaled.</param>
internal sealed record PreparedImage(IReadOnlyList<PreparedInput> Inputs, Grid Size, RgbImage? Pixels) : IDisposable
{
    /// <summary>Gives the inputs back to the pool they were rented from.</summary>
    public void Dispose()
    {
        foreach (var input in Inputs)
            ArrayPool<float>.Shared.Return(input.Values);
    }
}

/// <summary>Represents what one model scores of an image.</summary>
/// <param name="Model">The snapshot of the model.</param>
/// <param name="Frame">How the image lies in what the model scores.</param>
/// <param name="Values">Shape <c>(3, h, w)</c>, rented.</param>
/// <param name="Placement">How the part lies in the image.</param>
/// <param name="Warnings">What is unusual about the image.</param>
internal sealed record PreparedInput(
    CategoryModel Model,
    ImageFrame Frame,
    float[] Values,
    RigidTransform Placement,
    IReadOnlyList<InputWarning> Warnings
);
