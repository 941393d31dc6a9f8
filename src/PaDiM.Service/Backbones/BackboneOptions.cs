using System.ComponentModel.DataAnnotations;
using PaDiM.Engine.Inference;

namespace PaDiM.Service.Backbones;

/// <summary>Settings of backbones and of the device that they run on.</summary>
internal sealed class BackboneOptions
{
    /// <summary>Directories that are searched for <c>NAME.onnx</c>, in order, after the built-in directory.</summary>
    public string[] BackboneDirectories { get; set; } = [];

    /// <summary>Backbone of categories that do not name one.</summary>
    [Required]
    public string DefaultBackbone { get; set; } = BackboneRegistry.DefaultName;

    /// <summary>Device that backbones run on.</summary>
    public DevicePreference Device { get; set; }

    /// <summary>With CUDA, lets TensorRT run the parts of a graph that it supports.</summary>
    public bool TensorRt { get; set; }

    /// <summary>Threads of inference and of the kernels around it; 0 for one per core.</summary>
    [Range(0, 1024)]
    public int Threads { get; set; }
}
