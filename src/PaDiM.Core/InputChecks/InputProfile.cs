using System.Globalization;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.InputChecks;

/// <summary>
/// What the images are like that a model was fitted to, so that a score can say when an image comes from another
/// camera, recipe or product. All measures are global: a defect changes them little.
/// </summary>
/// <remarks>Immutable, thread-safe.</remarks>
/// <param name="Width">Columns of the files; null if they are not known.</param>
/// <param name="Height">Rows of the files; null if they are not known.</param>
/// <param name="Aspect">Width over height; null if they are not known.</param>
/// <param name="Brightness">Mean luma, 0 to 255.</param>
/// <param name="Contrast">Standard deviation of luma, in grey levels.</param>
/// <param name="WhiteShare">Share of white pixels, 0 to 1.</param>
/// <param name="Sharpness">Amount of fine detail, a natural logarithm.</param>
/// <param name="Distance">Median distance over the leave-one-out anomaly map.</param>
public sealed record InputProfile(
    TraitRange? Width,
    TraitRange? Height,
    TraitRange? Aspect,
    TraitRange Brightness,
    TraitRange Contrast,
    TraitRange WhiteShare,
    TraitRange Sharpness,
    TraitRange Distance
)
{
    /// <summary>An eighth of the range of 8 bits: a camera of 12 bits in samples of 16 uses a sixteenth.</summary>
    private const double LowRange = 32;

    /// <summary>Sizes are equal up to this logarithm of their ratio, which is 2 %.</summary>
    private const double SizeMargin = 0.02;

    /// <summary>
    /// Margins, in stops, natural logarithms and shares, beyond the range of the training images: so wide that other
    /// good parts stay inside, while a lamp that is out, a lens out of focus or another product is outside.
    /// </summary>
    private const double ExposureMargin = 0.5,
        WhiteMargin = 0.25,
        SharpnessMargin = 0.5,
        DistanceMargin = 0.4;

    /// <summary>An image with less than this share of the usual contrast shows nothing.</summary>
    private const double ContrastShare = 0.25;

    /// <summary>Added before the logarithm, in grey levels, so that noise does not dominate dark images.</summary>
    private const double LogOffset = 8;

    /// <summary>Estimates the profile of training images.</summary>
    /// <param name="images">At least one image.</param>
    /// <param name="distances">The median distance of each image's leave-one-out map.</param>
    public static InputProfile Estimate(IReadOnlyList<InputTraits> images, IReadOnlyList<double> distances)
    {
        var sizes = images.Where(image => image.Size is not null).Select(image => image.Size!.Value).ToArray();
        return new InputProfile(
            EstimateSize(sizes, size => size.Width),
            EstimateSize(sizes, size => size.Height),
            EstimateSize(sizes, size => (double)size.Width / size.Height),
            TraitRange.Estimate([.. images.Select(image => image.Brightness)], smallestSpread: 2),
            TraitRange.Estimate([.. images.Select(image => image.Contrast)], smallestSpread: 1),
            TraitRange.Estimate([.. images.Select(image => image.WhiteShare)], smallestSpread: 0.02),
            TraitRange.Estimate([.. images.Select(image => image.Sharpness)], smallestSpread: 0.1),
            TraitRange.Estimate(distances, smallestSpread: 0.05 * distances.Average())
        );
    }

    /// <summary>Finds what is unusual about an image before it is scored.</summary>
    /// <param name="profile">The profile of the model; null for models of before, which have none.</param>
    /// <param name="image">The image.</param>
    public static IEnumerable<InputWarning> Check(InputProfile? profile, InputTraits image)
    {
        if (IsLowRange(image))
            yield return new InputWarning(
                InputWarningCodes.LowRange,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The brightest value is {image.Brightest:f0} of 255, so most of the grey levels are lost. If "
                        + $"the camera fills 10 or 12 bits of 16, declare them (significantBits)."
                )
            );
        if (profile is null)
            yield break;
        if (profile.FindSizeWarning(image) is { } size)
            yield return size;
        if (profile.FindExposureWarning(image) is { } exposure)
            yield return exposure;
        if (
            profile.Sharpness.IsBelow(image.Sharpness, SharpnessMargin)
            || image.Contrast < ContrastShare * profile.Contrast.Min
        )
            yield return new InputWarning(
                InputWarningCodes.Blurred,
                "The image shows far less detail than the training images. Check focus, lens and motion."
            );
    }

    /// <summary>Gets whether an image uses less than an eighth of the range of values.</summary>
    public static bool IsLowRange(InputTraits image) => image.Brightest < LowRange;

    /// <summary>Finds whether an image is unlike all training images almost everywhere.</summary>
    /// <param name="distance">The median distance over the anomaly map.</param>
    public InputWarning? CheckDistance(double distance) =>
        ToLog(Distance).IsAbove(Math.Log(Math.Max(distance, double.Epsilon)), DistanceMargin)
            ? new InputWarning(
                InputWarningCodes.UnlikeTraining,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Most of the image is unlike the training images (median distance {distance:f1}, theirs up to "
                        + $"{Distance.Max:f1}). Check that product, camera and category belong together."
                )
            )
            : null;

    /// <summary>Gets whether all ranges are finite and in order.</summary>
    public bool IsValid() =>
        new[] { Width, Height, Aspect }.All(range => range is null || (range.IsValid() && range.Min > 0))
        && new[] { Brightness, Contrast, WhiteShare, Sharpness, Distance }.All(range => range.IsValid());

    private InputWarning? FindSizeWarning(InputTraits image)
    {
        if (image.Size is not { } size || Width is null || Height is null || Aspect is null)
            return null;
        return
            IsInside(Width, size.Width)
            && IsInside(Height, size.Height)
            && IsInside(Aspect, (double)size.Width / size.Height)
            ? null
            : new InputWarning(
                InputWarningCodes.SizeDiffers,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The image has {size.Width} x {size.Height} pixels; the training images have {ToText(Width)} x "
                        + $"{ToText(Height)}. Check that camera, crop and category belong together."
                )
            );
    }

    private InputWarning? FindExposureWarning(InputTraits image)
    {
        var exposure = ToStops(image.Brightness);
        var usual = new TraitRange(ToStops(Brightness.Min), ToStops(Brightness.Max));
        if (usual.IsBelow(exposure, ExposureMargin))
            return new InputWarning(
                InputWarningCodes.TooDark,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The mean brightness is {image.Brightness:f0} of 255; that of the training images is "
                        + $"{ToText(Brightness)}. Check light, exposure and aperture."
                )
            );
        return usual.IsAbove(exposure, ExposureMargin) || WhiteShare.IsAbove(image.WhiteShare, WhiteMargin)
            ? new InputWarning(
                InputWarningCodes.Overexposed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The mean brightness is {image.Brightness:f0} of 255 and {image.WhiteShare:p0} of the image is "
                        + $"white; the training images have {ToText(Brightness)}. Check light, exposure and aperture."
                )
            )
            : null;
    }

    private static TraitRange? EstimateSize(Grid[] sizes, Func<Grid, double> measure) =>
        sizes.Length == 0 ? null : new TraitRange(sizes.Min(measure), sizes.Max(measure));

    private static bool IsInside(TraitRange range, double value)
    {
        var logarithms = ToLog(range);
        return !logarithms.IsBelow(Math.Log(value), SizeMargin) && !logarithms.IsAbove(Math.Log(value), SizeMargin);
    }

    private static TraitRange ToLog(TraitRange range) =>
        new(Math.Log(Math.Max(range.Min, double.Epsilon)), Math.Log(Math.Max(range.Max, double.Epsilon)));

    private static double ToStops(double brightness) => Math.Log2(brightness + LogOffset);

    private static string ToText(TraitRange range) =>
        (ToText(range.Min), ToText(range.Max)) is var (min, max) && min == max ? min : $"{min} to {max}";

    private static string ToText(double value) => value.ToString("f0", CultureInfo.InvariantCulture);
}
