using PaDiM.Imaging.Decoding;
using PaDiM.Service.Admission;
using PaDiM.Service.Images;
using PaDiM.Service.Models;

namespace PaDiM.Service.Scoring;

/// <summary>Services that the scoring endpoints use.</summary>
internal sealed record ScoreServices(
    PartRegistry Models,
    ImageRequest Reader,
    ImageDecoder Decoder,
    ImageAdmission Admission,
    ScoreService Scoring,
    BatchScorer Batches
);
