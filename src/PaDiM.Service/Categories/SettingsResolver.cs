using Microsoft.Extensions.Options;
using PaDiM.Core.Embedding;
using PaDiM.Core.Models;
using PaDiM.Onnx.Backbones;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.Categories;

/// <summary>Settles every value of a request, and refuses what no fit could use.</summary>
internal sealed class SettingsResolver(BackboneRegistry backbones, IOptions<PadimOptions> options)
{
    private const double DefaultFalseRejectRate = 0.01;

    /// <summary>The settings that a request stands for, and its false-reject rate.</summary>
    public Outcome<(CategorySettings Settings, double FalseRejectRate)> Resolve(CategoryRequest request)
    {
        var profile = request.Profile ?? SettingsProfile.Default;
        var paper = profile == SettingsProfile.Paper;
        var rate = request.FalseRejectRate ?? DefaultFalseRejectRate;
        var settings = new CategorySettings
        {
            Backbone = request.Backbone ?? options.Value.DefaultBackbone,
            Profile = profile,
            ImageSize = request.ImageSize ?? 256,
            CropSize = request.CropSize ?? (paper && request.ImageSize is null ? 224 : null),
            Method = request.Reduction?.Method ?? (paper ? ReductionMethod.Random : ReductionMethod.SemiOrthogonal),
            Dimensions = request.Reduction?.Dimensions ?? 100,
            Seed = request.Reduction?.Seed ?? 1024,
            Epsilon = request.Epsilon ?? 0.01,
            BlurSigma = request.BlurSigma ?? 4,
            ReviewRate = request.ReviewRate,
        };
        if (CheckRate(rate) is { } badRate) return badRate;
        if (settings.ReviewRate is { } review && !(review > rate && review < 1)) return Problems.InvalidSettings("reviewRate must lie above falseRejectRate and below 1.");
        if (settings.Fit.FindFault() is { } fault) return Problems.InvalidSettings(fault);
        if (OpenBackbone(settings.Backbone).Succeeded(out var backbone, out var unusable) is false) return unusable;
        if (CheckFits(settings.Fit, backbone) is { } misfit) return misfit;
        return settings.Method == ReductionMethod.None ? (settings with { Dimensions = backbone.TapChannels.Sum() }, rate) : (settings, rate);
    }

    public static Problem? CheckRate(double rate) => rate is > 0 and < 1 ? null : Problems.InvalidSettings("falseRejectRate must lie between 0 and 1.");

    /// <summary>The backbone of that name, open.</summary>
    public Outcome<Backbone> OpenBackbone(string name)
    {
        try
        {
            return backbones.Open(name);
        }
        catch (KeyNotFoundException)
        {
            return Problems.UnknownBackbone(name, backbones.List().Select(file => file.Name));
        }
        catch (InvalidDataException e)
        {
            return Problems.UnusableBackbone(e.Message);
        }
    }

    private static Problem? CheckFits(FitSettings settings, Backbone backbone)
    {
        var (channels, size) = (backbone.TapChannels.Sum(), settings.PreparedSize().Width);
        if (settings.Reduction != ReductionMethod.None && settings.Dimensions > channels)
            return Problems.InvalidSettings($"reduction.dimensions is {settings.Dimensions}, but the backbone '{backbone.Identity.Name}' has {channels} channels.");
        return backbone.FixedSize is { } only && only != size
            ? Problems.InvalidSettings($"The backbone '{backbone.Identity.Name}' only takes images of {only} pixels; set imageSize or cropSize to {only}.")
            : null;
    }
}
