using PaDiM.Core.DatasetReview;
using PaDiM.Engine.Tests.Support;
using Photo = PaDiM.TestSupport.Parts.RgbImage;

namespace PaDiM.Engine.Tests.Fitting;

/// <summary>What a fit has to say of its training images.</summary>
public sealed class FitFindingsTests
{
    [Fact]
    public void A_copy_in_other_light_and_a_blurred_image_are_found_at_their_place_and_survive_the_model_file()
    {
        using var fits = new Fits();
        var parts = Enumerable.Range(0, 20).Select(seed => Photograph.Part(seed, 128)).ToList();
        parts[7] = parts[7].Blurred(4);
        parts.Add(parts[3].Exposed(1.03));
        var images = parts
            .Select(part => fits.Image(new Photo(part.Width, part.Height, part.Pixels).ToBmp()))
            .ToArray();
        var model = fits.Run(images, settings: Fits.Settings with { ImageSize = 128 });

        int Index(int part) => model.TrainingImages.ToList().IndexOf(images[part].Sha256);
        Assert.Equal(
            new[]
            {
                (Index(7), TrainingFindingKind.Blurred, (int?)null),
                (Math.Max(Index(3), Index(20)), TrainingFindingKind.NearDuplicate, Math.Min(Index(3), Index(20))),
            }.Order(),
            model.Findings.Select(finding => (finding.Index, finding.Kind, finding.Of))
        );
        Assert.Equal(model.Findings, Fits.Reread(model).Findings);
    }

    [Fact]
    public void Good_parts_hold_no_findings()
    {
        using var fits = new Fits();
        Assert.Empty(fits.Run(fits.Parts(0, 12)).Findings);
    }

    [Fact]
    public void Findings_are_the_same_from_kept_pixels()
    {
        using var fits = new Fits();
        var parts = Enumerable.Range(0, 6).Select(seed => Photograph.Part(seed, 72)).ToList();
        parts.Add(parts[2].Exposed(1.02));
        var images = parts
            .Select(part => fits.Image(new Photo(part.Width, part.Height, part.Pixels).ToBmp()))
            .ToArray();
        var findings = fits.Run(images).Findings;
        Assert.Contains(findings, finding => finding.Kind == TrainingFindingKind.NearDuplicate);
        Assert.Equal(findings, fits.Run(images).Findings);
        Assert.Equal(7, fits.Reads);
    }
}
