using System;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

#nullable disable

namespace PaDiM.Service.Data.Postgres.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "ApiKeys",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", maxLength: 12, nullable: false, collation: "C"),
                    Name = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Sha256 = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Scope = table.Column<string>(type: "text", nullable: false),
                    Categories = table.Column<string[]>(type: "text[]", nullable: true),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    ExpiresAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    RevokedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    LastUsedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ApiKeys", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "AuditEntries",
                columns: table => new
                {
                    Id = table.Column<long>(type: "bigint", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    At = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Actor = table.Column<string>(type: "text", maxLength: 200, nullable: false, collation: "C"),
                    KeyId = table.Column<string>(type: "text", maxLength: 12, nullable: true, collation: "C"),
                    Action = table.Column<string>(type: "text", maxLength: 40, nullable: false, collation: "C"),
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    Target = table.Column<string>(type: "text", maxLength: 400, nullable: false, collation: "C"),
                    Address = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    TraceId = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    Status = table.Column<int>(type: "integer", nullable: true),
                    Result = table.Column<string>(type: "text", maxLength: 400, nullable: true, collation: "C"),
                    Detail = table.Column<string>(type: "text", nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_AuditEntries", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "Categories",
                columns: table => new
                {
                    Name = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    FalseRejectRate = table.Column<double>(type: "double precision", nullable: false),
                    IgnoreMaskSha256 = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    Pinned = table.Column<bool>(type: "boolean", nullable: false),
                    ActiveVersion = table.Column<int>(type: "integer", nullable: true),
                    LastVersion = table.Column<int>(type: "integer", nullable: false),
                    Revision = table.Column<long>(type: "bigint", nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    UpdatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Settings = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Categories", x => x.Name);
                });

            migrationBuilder.CreateTable(
                name: "Jobs",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", maxLength: 32, nullable: false, collation: "C"),
                    Kind = table.Column<string>(type: "text", nullable: false),
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Request = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    IdempotencyKey = table.Column<string>(type: "text", maxLength: 200, nullable: true, collation: "C"),
                    Estimate = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    State = table.Column<string>(type: "text", nullable: false),
                    Stage = table.Column<string>(type: "text", maxLength: 40, nullable: true, collation: "C"),
                    Progress = table.Column<double>(type: "double precision", nullable: false),
                    SecondsLeft = table.Column<double>(type: "double precision", nullable: true),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    StartedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    FinishedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    Attempts = table.Column<int>(type: "integer", nullable: false),
                    ErrorCode = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    ErrorDetail = table.Column<string>(type: "text", nullable: true, collation: "C"),
                    ModelVersion = table.Column<int>(type: "integer", nullable: true),
                    CancelRequested = table.Column<bool>(type: "boolean", nullable: false),
                    LeasedBy = table.Column<string>(type: "text", maxLength: 200, nullable: true, collation: "C"),
                    LeaseExpiresAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: true),
                    Fence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Jobs", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "ThresholdChanges",
                columns: table => new
                {
                    Id = table.Column<int>(type: "integer", nullable: false)
                        .Annotation("Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    At = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Who = table.Column<string>(type: "text", maxLength: 200, nullable: false, collation: "C"),
                    ModelVersion = table.Column<int>(type: "integer", nullable: true),
                    FalseRejectRate = table.Column<double>(type: "double precision", nullable: false),
                    Threshold = table.Column<double>(type: "double precision", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ThresholdChanges", x => x.Id);
                });

            migrationBuilder.CreateTable(
                name: "Evaluations",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", maxLength: 32, nullable: false, collation: "C"),
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    ModelVersion = table.Column<int>(type: "integer", nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    Figures = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Scores = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Evaluations", x => x.Id);
                    table.ForeignKey(
                        name: "FK_Evaluations_Categories_Category",
                        column: x => x.Category,
                        principalTable: "Categories",
                        principalColumn: "Name",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "Images",
                columns: table => new
                {
                    Id = table.Column<string>(type: "text", maxLength: 32, nullable: false, collation: "C"),
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Sha256 = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    PixelSha256 = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    FileName = table.Column<string>(type: "text", maxLength: 255, nullable: false, collation: "C"),
                    Format = table.Column<string>(type: "text", nullable: false),
                    Width = table.Column<int>(type: "integer", nullable: false),
                    Height = table.Column<int>(type: "integer", nullable: false),
                    Bytes = table.Column<long>(type: "bigint", nullable: false),
                    Label = table.Column<string>(type: "text", nullable: false),
                    Defect = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    MaskSha256 = table.Column<string>(type: "text", maxLength: 64, nullable: true, collation: "C"),
                    HeldOut = table.Column<bool>(type: "boolean", nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Images", x => x.Id);
                    table.ForeignKey(
                        name: "FK_Images_Categories_Category",
                        column: x => x.Category,
                        principalTable: "Categories",
                        principalColumn: "Name",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "Models",
                columns: table => new
                {
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Version = table.Column<int>(type: "integer", nullable: false),
                    CreatedAt = table.Column<DateTime>(type: "timestamp with time zone", nullable: false),
                    JobId = table.Column<string>(type: "text", maxLength: 32, nullable: true, collation: "C"),
                    BackboneName = table.Column<string>(type: "text", maxLength: 200, nullable: false, collation: "C"),
                    BackboneSha256 = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    ImageCount = table.Column<int>(type: "integer", nullable: false),
                    Dimensions = table.Column<int>(type: "integer", nullable: false),
                    GridHeight = table.Column<int>(type: "integer", nullable: false),
                    GridWidth = table.Column<int>(type: "integer", nullable: false),
                    Threshold = table.Column<double>(type: "double precision", nullable: false),
                    FalseRejectRate = table.Column<double>(type: "double precision", nullable: false),
                    ThresholdOverride = table.Column<double>(type: "double precision", nullable: true),
                    SmallestFalseRejectRate = table.Column<double>(type: "double precision", nullable: false),
                    LooMin = table.Column<double>(type: "double precision", nullable: false),
                    LooMedian = table.Column<double>(type: "double precision", nullable: false),
                    LooMax = table.Column<double>(type: "double precision", nullable: false),
                    Profile = table.Column<string>(type: "text", nullable: true),
                    IgnoredShare = table.Column<double>(type: "double precision", nullable: false),
                    RankDeficient = table.Column<bool>(type: "boolean", nullable: false),
                    Positions = table.Column<string>(type: "text", nullable: true),
                    Shrinkage = table.Column<string>(type: "text", nullable: true),
                    FileName = table.Column<string>(type: "text", maxLength: 100, nullable: false, collation: "C"),
                    StatisticsBytes = table.Column<long>(type: "bigint", nullable: false),
                    Sha256 = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Findings = table.Column<string>(type: "jsonb", nullable: true),
                    Outliers = table.Column<string>(type: "jsonb", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Models", x => new { x.Category, x.Version });
                    table.ForeignKey(
                        name: "FK_Models_Categories_Category",
                        column: x => x.Category,
                        principalTable: "Categories",
                        principalColumn: "Name",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "ModelImages",
                columns: table => new
                {
                    Category = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    Version = table.Column<int>(type: "integer", nullable: false),
                    Position = table.Column<int>(type: "integer", nullable: false),
                    Sha256 = table.Column<string>(type: "text", maxLength: 64, nullable: false, collation: "C"),
                    FileName = table.Column<string>(type: "text", maxLength: 255, nullable: true, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_ModelImages", x => new { x.Category, x.Version, x.Position });
                    table.ForeignKey(
                        name: "FK_ModelImages_Models_Category_Version",
                        columns: x => new { x.Category, x.Version },
                        principalTable: "Models",
                        principalColumns: new[] { "Category", "Version" },
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_AuditEntries_At",
                table: "AuditEntries",
                column: "At");

            migrationBuilder.CreateIndex(
                name: "IX_AuditEntries_Category_Id",
                table: "AuditEntries",
                columns: new[] { "Category", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Evaluations_Category_ModelVersion_Id",
                table: "Evaluations",
                columns: new[] { "Category", "ModelVersion", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Images_Category_Label_Id",
                table: "Images",
                columns: new[] { "Category", "Label", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Images_Category_PixelSha256",
                table: "Images",
                columns: new[] { "Category", "PixelSha256" });

            migrationBuilder.CreateIndex(
                name: "IX_Images_Category_Sha256",
                table: "Images",
                columns: new[] { "Category", "Sha256" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Images_Sha256",
                table: "Images",
                column: "Sha256");

            migrationBuilder.CreateIndex(
                name: "IX_Jobs_Category_Id",
                table: "Jobs",
                columns: new[] { "Category", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Jobs_Category_IdempotencyKey",
                table: "Jobs",
                columns: new[] { "Category", "IdempotencyKey" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_Jobs_Open",
                table: "Jobs",
                column: "Id",
                filter: "\"State\" IN ('Queued', 'Running')");

            migrationBuilder.CreateIndex(
                name: "IX_Jobs_Running",
                table: "Jobs",
                column: "Category",
                unique: true,
                filter: "\"State\" = 'Running'");

            migrationBuilder.CreateIndex(
                name: "IX_Jobs_State_Id",
                table: "Jobs",
                columns: new[] { "State", "Id" });

            migrationBuilder.CreateIndex(
                name: "IX_Models_JobId",
                table: "Models",
                column: "JobId",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_ThresholdChanges_Category_Id",
                table: "ThresholdChanges",
                columns: new[] { "Category", "Id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "ApiKeys");

            migrationBuilder.DropTable(
                name: "AuditEntries");

            migrationBuilder.DropTable(
                name: "Evaluations");

            migrationBuilder.DropTable(
                name: "Images");

            migrationBuilder.DropTable(
                name: "Jobs");

            migrationBuilder.DropTable(
                name: "ModelImages");

            migrationBuilder.DropTable(
                name: "ThresholdChanges");

            migrationBuilder.DropTable(
                name: "Models");

            migrationBuilder.DropTable(
                name: "Categories");
        }
    }
}
