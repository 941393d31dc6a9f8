using Microsoft.Extensions.Options;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.MqttCommands;

/// <summary>Reads images that commands name: files below one directory, and nothing else.</summary>
internal sealed class NamedImages(IOptions<MqttCommandOptions> options, IOptions<ImageOptions> images)
{
    /// <summary>Finds a file.</summary>
    /// <param name="path">Its path below the directory, with slashes.</param>
    public Outcome<FileInfo> Find(string? path)
    {
        if (options.Value.Mqtt.ImageDirectory is not { } root)
            return Problems.InvalidRequest(
                "Commands may not name images here: send the image itself, or set Mqtt:ImageDirectory."
            );
        string[] parts = path?.Split('/', '\\') ?? [];
        if (
            parts.Length == 0
            || parts.Any(part => part is "" or "." or ".." || part.AsSpan().IndexOfAny(':', '\0') >= 0)
        )
            return Problems.InvalidRequest(
                "path must be the path of a file below the directory of images, such as line-2/part.png; never a URL."
            );
        FileSystemInfo at = new DirectoryInfo(root);
        foreach (var part in parts)
        {
            at = new FileInfo(Path.Combine(at.FullName, part));
            // A link could lead anywhere.
            if (at.LinkTarget is not null)
                return Problems.InvalidRequest("path passes a symbolic link, which is not followed.");
        }
        var file = (FileInfo)at;
        if (!file.Exists)
            return Problems.InvalidRequest($"There is no file {string.Join('/', parts)} in the directory of images.");
        return file.Length > images.Value.MaxImageBytes ? Problems.ImageBytes(images.Value.MaxImageBytes) : file;
    }
}
