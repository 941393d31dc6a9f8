using System.Text.Json;
using PaDiM.Core.Calibration;
using PaDiM.Core.Embedding;
using PaDiM.Service.Data;
using PaDiM.Service.Http;

namespace PaDiM.Service.Categories;

/// <summary>A change of some of a category's settings, as a JSON merge patch.</summary>
/// <param name="patch">The patch.</param>
/// <param name="resolver">Validates what comes out, as for PUT.</param>
/// <param name="json">How the service reads and writes JSON.</param>
internal sealed class CategoryPatch(JsonElement patch, SettingsResolver resolver, JsonSerializerOptions json)
{
    /// <summary>Gets the values of a category after the patch.</summary>
    /// <exception cref="BadHttpRequestException">The patch cannot be read.</exception>
    public Outcome<CategoryValues> ApplyTo(Category category)
    {
        var stored = ToRequest(category);
        var request = ReplaceSize(MergePatch.Apply(stored, patch, json));
        if (request.ImagesOf != stored.ImagesOf)
            return CategoryStore.ImagesAreFixed();
        var unfitted = request with
        {
            FalseRejectRate = stored.FalseRejectRate,
            ReviewRate = stored.ReviewRate,
            RefuseOn = stored.RefuseOn,
            Inspections = stored.Inspections,
            Pinned = stored.Pinned,
        };
        // Null for the crop that a category does not have is a change too, if the profile crops.
        var namesCrop = MergePatch.Names(patch, "cropSize");
        if (unfitted != stored || namesCrop)
        {
            var keepsWhole = category.Settings.CropSize is null && !namesCrop;
            return resolver.Resolve(request, keepsWhole).Succeeded(out var resolved, out var problem)
                ? new CategoryValues(resolved.Settings, resolved.FalseRejectRate, request.Pinned)
                : problem;
        }
        // What no fit depends on changes without the backbone, which may be gone.
        var rate = request.FalseRejectRate ?? ThresholdCalibration.DefaultFalseRejectRate;
        return
            (
                SettingsResolver.CheckRate(rate)
                ?? SettingsResolver.CheckReviewRate(request.ReviewRate, rate)
                ?? SettingsResolver.CheckRefuseOn(request.RefuseOn)
                ?? SettingsResolver.CheckInspections(request.Inspections)
            )
                is { } refused
            ? refused
            : new CategoryValues(
                SettingsResolver.KeepInspections(
                    category.Settings with
                    {
                        ReviewRate = request.ReviewRate,
                        RefuseOn = SettingsResolver.JoinWarnings(request.RefuseOn),
                    },
                    request.Inspections
                ),
                rate,
                request.Pinned
            );
    }

    /// <summary>
    /// A side of a square and two sides replace each other: what the patch does not name gives way to what it names.
    /// </summary>
    private CategoryRequest ReplaceSize(CategoryRequest request)
    {
        var namesSquare = MergePatch.Names(patch, "imageSize");
        var namesSides = MergePatch.Names(patch, "imageWidth") || MergePatch.Names(patch, "imageHeight");
        if (namesSquare && !namesSides && request.ImageSize is not null)
            return request with { ImageWidth = null, ImageHeight = null };
        return namesSides && !namesSquare && (request.ImageWidth ?? request.ImageHeight) is not null
            ? request with
            {
                ImageSize = null,
            }
            : request;
    }

    /// <summary>Gets the request that puts a category as it is.</summary>
    public static CategoryRequest ToRequest(Category category) =>
        new()
        {
            ImagesOf = category.Settings.ImagesOf,
            Backbone = category.Settings.Backbone,
            Profile = category.Settings.Profile,
            ImageSize = category.Settings.ImageWidth is null ? category.Settings.ImageSize : null,
            ImageWidth = category.Settings.ImageWidth,
            ImageHeight = category.Settings.ImageHeight,
            Aspect = category.Settings.Fit.Aspect,
            CropSize = category.Settings.CropSize,
            Positions = category.Settings.Fit.Positions,
            Tiles = category.Settings.Tiles is { } tiles
                ? new TilesRequest { Size = tiles.Size, Overlap = tiles.Overlap }
                : null,
            Reduction = new ReductionRequest
            {
                Method = category.Settings.Method,
                // Without a reduction, the dimensions follow from the backbone.
                Dimensions = category.Settings.Method == ReductionMethod.None ? null : category.Settings.Dimensions,
                Seed = category.Settings.Seed,
            },
            LocalAverage = category.Settings.LocalAverage,
            Epsilon = category.Settings.Epsilon,
            RelativeRidge = category.Settings.Fit.RelativeRidge,
            QuietExponent = category.Settings.Fit.QuietExponent,
            BlurSigma = category.Settings.BlurSigma,
            ImageScore = category.Settings.ImageScore,
            Shrinkage = category.Settings.Shrinkage,
            Alignment = category.Settings.Alignment,
            SignificantBits = category.Settings.SignificantBits,
            Region = category.Settings.Fit.Region is { } region
                ? new RegionRequest
                {
                    X = region.X,
                    Y = region.Y,
                    Width = region.Width,
                    Height = region.Height,
                }
                : null,
            FalseRejectRate = category.FalseRejectRate,
            ReviewRate = category.Settings.ReviewRate,
            RefuseOn = category.Settings.RefusedWarnings,
            Inspections = new InspectionsRequest
            {
                Keep = category.Settings.InspectionKeep,
                Images = category.Settings.InspectionImages,
                Days = category.Settings.InspectionDays,
                Bytes = category.Settings.InspectionBytes,
                Durable = category.Settings.InspectionDurable,
            },
            Pinned = category.Pinned,
        };
}

/// <summary>All that a caller decides about a category.</summary>
/// <param name="Settings">Settings of the next fit.</param>
/// <param name="FalseRejectRate">Accepted share of false rejects.</param>
/// <param name="Pinned">Whether the active model stays in memory.</param>
internal sealed record CategoryValues(CategorySettings Settings, double FalseRejectRate, bool Pinned);
