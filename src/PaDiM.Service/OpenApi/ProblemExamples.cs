using PaDiM.Core.InputChecks;
using PaDiM.Imaging;
using PaDiM.Imaging.Decoding;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenApi;

/// <summary>
/// One instance of every problem, created by the service's own factories, so that code, status and wording always
/// match.
/// </summary>
internal static class ProblemExamples
{
    private static readonly Dictionary<string, Problem> ByCode = new[]
    {
        Problems.InvalidRequest("limit must be from 1 to 1000."),
        Problems.InvalidName("Bottle!"),
        Problems.InvalidSettings("falseRejectRate must be above 0 and below 1."),
        Problems.UnknownBackbone("resnet18", ["tiny", "tiny-int8"]),
        Problems.UnusableBackbone("The file resnet18.onnx is not an ONNX graph."),
        Problems.CategoryNotFound("bottle"),
        Problems.CategoryInUse("flange", ["flange-bore", "flange-rim"]),
        Problems.ImagesElsewhere("flange-bore", "flange"),
        Problems.ImageNotFound("01a20a7442807c0fab5719e3cf3db3cc"),
        Problems.InspectionNotFound("01a20a9c5ae27c1f8f6a19e3cf3db3ee"),
        Problems.InspectionImageNotKept("01a20a9c5ae27c1f8f6a19e3cf3db3ee"),
        Problems.VerdictNotGood("01a20a9c5ae27c1f8f6a19e3cf3db3ee"),
        Problems.ImageDamaged("ae3bcf25296dd95dafe54cf7339fa7870c84071ebff1d0a76d9f4fc9a0d0159a"),
        Problems.NotFinite("resnet18"),
        Problems.InputRefused([
            new InputWarning(
                InputWarningCodes.SizeDiffers,
                "The image has 64 x 64 pixels; the training images have 80 x 2000. Check that camera, crop and "
                    + "category "
                    + "belong together."
            ),
        ]),
        Problems.JobNotFound("01a20a73769176438e6039d1c152083e"),
        Problems.ModelNotFound("bottle", "7"),
        Problems.ModelNotReady("bottle"),
        Problems.ModelUnusable("The file is not a model of a supported version."),
        Problems.ModelCorrupt(
            "The file of version 2 of 'bottle' is damaged: its hash differs from the published one. Restore "
                + "the file 01a20a73769176438e6039d1c152083e-1.safetensors from a backup, activate another "
                + "version, or fit again."
        ),
        Problems.SelfTestFailed(
            "The model does not score here as it did when it was fitted: golden image 1 of 3 has the score "
                + "11.9021 on cuda, 9.40718 is right, and at most 1 % of difference is rounding. Fit again on this "
                + "machine, or find out what is wrong with its device."
        ),
        Problems.DeviceFailed(),
        Problems.ReplicaDoesNotScore(),
        Problems.DatabaseUnavailable(),
        Problems.CacheBudgetExceeded("bottle", 84_511_560, 4_225_578_000, 4L << 30),
        Problems.ModelActive(1),
        Problems.LookbackNotFound("01a20a81b2c47d1f8a5519e3cf3db3ab"),
        Problems.ShadowNotFound("bottle"),
        Problems.ShadowActive(1),
        Problems.ShadowChanged(3, 4),
        Problems.ShadowTooLarge(84_511_560),
        Problems.ModelFallback(2, 1),
        Problems.NoAnomalousImages(),
        Problems.EvaluationNotFound("01a20a81b2c47d1f8a5519e3cf3db3aa"),
        Problems.IgnoreMaskUnusable(
            "The ignore mask leaves no pixel of the prepared image. White pixels are left out; paint black what counts."
        ),
        Problems.IgnoreMaskNotFound("bottle"),
        Problems.InvalidModel("The file is not a safetensors file."),
        Problems.ExportUnsupported(
            "The model aligns each image to a template, which an ONNX graph cannot express. Export it as "
                + "safetensors, or fit without alignment."
        ),
        Problems.TooFewImages(1, 1),
        Problems.FitTooLarge(
            "A fit with 256 x 256 positions and 400 dimensions requires 51.2 GiB of memory; 8.0 GiB are available, "
                + "of which a fit may use 90 %. Use fewer dimensions or a smaller image size."
        ),
        Problems.IdempotencyConflict(),
        Problems.JobFinished("succeeded"),
        Problems.LabelConflict("normal"),
        Problems.SelectionChanged(41, 40),
        Problems.InvalidArchive("The file is not a zip archive, or is cut short."),
        Problems.ArchiveTooLarge("The archive has more than 100,000 entries (MaxArchiveEntries)."),
        Problems.InvalidEntry("The name leads out of the archive."),
        Problems.ModelImagesGone(2, 209),
        Problems.MaskMismatch("The mask has 256 x 256 pixels, its image 512 x 512; they must be the same."),
        Problems.KeyNotFound("3f2a9c01d4e5"),
        Problems.UnknownKey(),
        Problems.KeyExpired("3f2a9c01d4e5"),
        Problems.KeyRevoked("3f2a9c01d4e5"),
        Problems.RateLimited(1),
        Problems.SinkNotFound("mes"),
        Problems.DeadLetterNotFound("mes", "01a20a7442807c0fab5719e3cf3db3cc"),
        Problems.NoImages(),
        Problems.TooManyFiles(256),
        Problems.UnsupportedMediaType("text/plain", "application/json"),
        Problems.UnsupportedEncoding("zstd", CompressedBodies.Accepted),
        Problems.PreconditionFailed(),
        Problems.RangeNotSatisfiable(72_568),
        Problems.NotAcceptable("application/json, image/png, image/jpeg, image/webp and application/x-npy"),
        Problems.BodyTooLarge(),
        Problems.BodyTooSlow(),
        Problems.QueueFull("images are being scored"),
        Problems.DeadlinePassed(200),
        Problems.StorageFull(),
        Problems.StorageUnavailable(),
        Problems.Unexpected(),
        Problems.PixelsLength(921_600, new PixelLayout(640, 480, PixelFormat.Gray8)),
        Refused(ImageFault.Empty, "The image is empty; send the bytes of an image file."),
        Refused(ImageFault.TooLarge, "The image has 20000 x 20000 = 400,000,000 pixels; at most 67,108,864 are read."),
        Refused(ImageFault.Animated, "The image has several frames or pages; send one frame as one image."),
        Refused(
            ImageFault.TooComplex,
            "The JPEG image takes too long to decode; it was given up. Save it again in a plain way, or smaller."
        ),
        Refused(
            ImageFault.SampleOutOfRange,
            "A sample is 5000, but 12 significant bits end at 4095. Declare the significant bits that the camera "
                + "sends, "
                + "or none if it fills the whole range."
        ),
        Refused(ImageFault.Unreadable, "The bytes are not a PNG, JPEG, BMP, TIFF or WebP image."),
    }.ToDictionary(problem => problem.Code, StringComparer.Ordinal);

    public static Problem Get(string code) => ByCode[code];

    private static Problem Refused(ImageFault fault, string detail) =>
        Problems.Image(new DecodeResult.Refused(fault, detail));
}
