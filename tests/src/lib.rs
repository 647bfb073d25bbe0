//! Tests of the whole: scenarios over the simulator, rooms held apart, template and code in step.
