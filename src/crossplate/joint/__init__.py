"""The joint model of [Niu2022]_: calibrator, reconstructors and discriminator, trained together."""
