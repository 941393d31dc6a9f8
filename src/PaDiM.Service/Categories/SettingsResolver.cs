using Microsoft.Extensions.Options;
using PaDiM.Core.Alignment;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;
using PaDiM.Core.Models;
using PaDiM.Engine.Catalogue;
using PaDiM.Engine.Inference;
using PaDiM.Service.Backbones;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Categories;

/// <summary>Resolves every value of a request and refuses values that no fit could use.</summary>
internal sealed class SettingsResolver(BackboneRegistry backbones, IOptions<BackboneOptions> options)
{
    /// <summary>Gets the settings and the false-reject rate of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="keepsWhole">Whether the image stays whole even if the profile crops: the category has no crop, and
    /// a patch does not name one.</param>
    public Outcome<(CategorySettings Settings, double FalseRejectRate)> Resolve(
        CategoryRequest request,
        bool keepsWhole = false
    )
    {
        var rate = request.FalseRejectRate ?? ThresholdCalibration.DefaultFalseRejectRate;
        if (CheckRate(rate) is { } badRate)
            return badRate;
        var name = request.Backbone ?? options.Value.DefaultBackbone;
        if (!ReadManifest(name).Succeeded(out var manifest, out var unknown))
            return unknown;
        var profile = request.Profile ?? SettingsProfile.Default;
        var paper = profile == SettingsProfile.Paper;
        var defaults = paper ? BackboneCatalogue.Known.GetPaperSettings(name, manifest) : new FitSettings();
        if (!ResolveRegion(request.Region).Succeeded(out var region, out var badRegion))
            return badRegion;
        var settings = new CategorySettings
        {
            Backbone = name,
            ImagesOf = request.ImagesOf,
            Profile = profile,
            ImageSize = request.ImageSize ?? defaults.ImageSize,
            ImageWidth = request.ImageWidth,
            ImageHeight = request.ImageHeight,
            Aspect = request.Aspect ?? defaults.Aspect,
            CropSize =
                request.CropSize
                ?? (
                    paper
                    && !keepsWhole
                    && request.Alignment is null or AlignmentMethod.None
                    && request.Tiles is null
                    && (request.ImageSize ?? defaults.ImageSize) == defaults.ImageSize
                    && request.ImageWidth is null
                        ? defaults.CropSize
                        : null
                ),
            Positions = request.Positions ?? defaults.Positions,
            TileSize = request.Tiles?.Size,
            TileOverlap = request.Tiles is { } tiles
                ? tiles.Overlap ?? TileSettings.GetDefaultOverlap(tiles.Size)
                : null,
            Method = request.Reduction?.Method ?? defaults.Reduction,
            Dimensions = request.Reduction?.Dimensions ?? defaults.Dimensions,
            Seed = request.Reduction?.Seed ?? defaults.Seed,
            LocalAverage = request.LocalAverage ?? defaults.LocalAverage,
            Epsilon = request.Epsilon ?? defaults.Epsilon,
            RelativeRidge = request.RelativeRidge ?? defaults.RelativeRidge,
            QuietExponent = request.QuietExponent ?? defaults.QuietExponent,
            BlurSigma = request.BlurSigma ?? defaults.BlurSigma,
            ImageScore = request.ImageScore ?? defaults.ImageScore,
            ReviewRate = request.ReviewRate,
            RefuseOn = JoinWarnings(request.RefuseOn),
            Shrinkage = request.Shrinkage ?? defaults.Shrinkage,
            Alignment = request.Alignment ?? defaults.Alignment,
            SignificantBits = request.SignificantBits,
            Region = region?.ToString(),
        };
        settings = KeepInspections(settings, request.Inspections);
        if (CheckReviewRate(settings.ReviewRate, rate) is { } badReview)
            return badReview;
        if (CheckInspections(request.Inspections) is { } badInspections)
            return badInspections;
        if (CheckRefuseOn(request.RefuseOn) is { } badWarning)
            return badWarning;
        if (request is { ImageSize: not null, ImageWidth: not null } or { ImageSize: not null, ImageHeight: not null })
            return Problems.InvalidSettings(
                "imageSize is the side of a square: leave it out where imageWidth and imageHeight name two sides."
            );
        if (settings.Fit.Validate() is { } fault)
            return Problems.InvalidSettings(fault);
        if (!OpenBackbone(name).Succeeded(out var backbone, out var unusable))
            return unusable;
        if (backbone.Validate(settings.Fit) is { } misfit)
            return Problems.InvalidSettings(misfit);
        return settings.Method == ReductionMethod.None
            ? (settings with { Dimensions = backbone.TapChannels.Sum() }, rate)
            : (settings, rate);
    }

    private static Outcome<ImageRegion?> ResolveRegion(RegionRequest? request)
    {
        if (request is null)
            return (ImageRegion?)null;
        if (request is not { X: { } x, Y: { } y, Width: { } width, Height: { } height })
            return Problems.InvalidSettings("region has x, y, width and height, in fractions of the photograph.");
        var region = new ImageRegion(x, y, width, height);
        return region.Validate() is { } fault ? Problems.InvalidSettings(fault) : region;
    }

    /// <summary>Joins the codes of warnings as they are stored; null for none.</summary>
    public static string? JoinWarnings(IReadOnlyList<string>? codes) =>
        codes is { Count: > 0 } ? string.Join(',', codes.Distinct().Order(StringComparer.Ordinal)) : null;

    /// <summary>Gets the problem of a code that no warning has, or null.</summary>
    public static Problem? CheckRefuseOn(IReadOnlyList<string>? codes) =>
        codes?.FirstOrDefault(code => !InputWarningCodes.All.Contains(code)) is { } unknown
            ? Problems.InvalidSettings(
                $"refuseOn has no warning '{unknown}'; there are {string.Join(", ", InputWarningCodes.All)}."
            )
            : null;

    /// <summary>Gets the problem of what is to be kept of inspections; null if there is none.</summary>
    public static Problem? CheckInspections(InspectionsRequest? request) =>
        request switch
        {
            { Images: { } images } when KeptImages.TryParse(images) is null => Problems.InvalidSettings(
                "inspections.images is all, review, anomalous, none, or sample: and a share above 0 and at most 1, such as "
                    + "sample:0.01."
            ),
            { Days: < 1 or > InspectionSettings.MaxDays } => Problems.InvalidSettings(
                $"inspections.days must be from 1 to {InspectionSettings.MaxDays}."
            ),
            { Bytes: < 0 or > 1L << 53 } => Problems.InvalidSettings("inspections.bytes must be from 0 to 2^53."),
            _ => null,
        };

    /// <summary>Gets settings with what is to be kept of inspections.</summary>
    public static CategorySettings KeepInspections(CategorySettings settings, InspectionsRequest? request) =>
        settings with
        {
            InspectionKeep = request?.Keep,
            InspectionImages = request?.Images,
            InspectionDays = request?.Days,
            InspectionBytes = request?.Bytes,
            InspectionDurable = request?.Durable,
        };

    public static Problem? CheckRate(double rate) =>
        rate is > 0 and < 1 ? null : Problems.InvalidSettings("falseRejectRate must be above 0 and below 1.");

    public static Problem? CheckReviewRate(double? review, double rate) =>
        review is null || (review > rate && review < 1)
            ? null
            : Problems.InvalidSettings("reviewRate must be above falseRejectRate and below 1.");

    /// <summary>Reads the manifest of a backbone without opening it, which may take seconds.</summary>
    private Outcome<BackboneManifest> ReadManifest(string name)
    {
        if (backbones.Directories.Find(name) is not { } file)
            return Problems.UnknownBackbone(name, backbones.Directories.List().Select(known => known.Name));
        try
        {
            return file.ReadManifest();
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return Problems.UnusableBackbone($"The backbone '{name}' cannot be used: {e.Message}");
        }
    }

    /// <summary>Opens the backbone with that name.</summary>
    public Outcome<Backbone> OpenBackbone(string name)
    {
        try
        {
            return backbones.Open(name);
        }
        catch (KeyNotFoundException)
        {
            return Problems.UnknownBackbone(name, backbones.Directories.List().Select(file => file.Name));
        }
        catch (InvalidDataException e)
        {
            return Problems.UnusableBackbone(e.Message);
        }
    }
}
