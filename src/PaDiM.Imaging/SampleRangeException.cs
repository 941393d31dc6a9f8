namespace PaDiM.Imaging;

/// <summary>The exception that is thrown when a sample is larger than the significant bits allow.</summary>
/// <param name="sample">The sample.</param>
/// <param name="most">The largest number that is allowed.</param>
/// <param name="isDeclared">Whether the limit was declared by who sent the image, and not by the file.</param>
internal sealed class SampleRangeException(uint sample, uint most, bool isDeclared)
    : Exception(
        $"A sample is {sample}, but {uint.PopCount(most)} significant bits end at {most}. "
            + "Declare the significant bits that the camera sends, or none if it fills the whole range."
    )
{
    /// <summary>Gets whether the limit was declared by who sent the image, and not by the file.</summary>
    public bool IsDeclared { get; } = isDeclared;
}
